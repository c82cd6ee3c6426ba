import { createHash, hash } from 'node:crypto'
import type { Digest } from '#oci'
import { encodeTarHeader, endOfArchive, paddingSize, type TarHeader } from '#tar'
import { type Entry, joinPath, type LayerTree, splitPath } from '#tree'
import { type ContentReader, openContentReader } from './content-reader.ts'

/** Takes the archive's bytes; the buffer may be used again once the promise is fulfilled. */
export type TarSink = (bytes: Uint8Array) => Promise<void>

export interface PackedLayer {
  /** The entries with every file's digest, and with ranges in the archive where `archive` was given. */
  readonly entries: LayerTree
  /** Bytes of the archive. */
  readonly tarSize: number
  /** Bytes of file content. */
  readonly size: number
}

const chunkSize = 1 << 20

/**
 * Packs entries as a layer archive in one pass: each file is read once, its digest and its place in the archive come
 * out with it. Whiteouts become `.wh.` members (image-spec, layer.md "Representing Changes"). `archive` is the path
 * under which the archive will be found.
 */
export async function packLayer(
  entries: LayerTree,
  sink: TarSink,
  options: { readonly archive?: string; readonly signal?: AbortSignal } = {},
): Promise<PackedLayer> {
  const out = chunked(sink)
  using reader = openContentReader()
  const packed: Entry[] = []
  let size = 0
  for (const entry of entries) {
    if (entry.path === '') continue
    options.signal?.throwIfAborted()
    await out.write(encodeTarHeader(toHeader(entry)))
    if (entry.type !== 'file') {
      packed.push(entry)
      continue
    }
    const offset = out.position()
    const content = await packContent(entry, reader, out)
    size += entry.size
    packed.push({
      ...entry,
      content,
      ...(options.archive !== undefined && { source: { kind: 'range', path: options.archive, offset } }),
    })
  }
  await out.write(endOfArchive)
  await out.flush()
  return { entries: packed, tarSize: out.position(), size }
}

async function packContent(entry: Entry, reader: ContentReader, out: Chunked): Promise<Digest> {
  if (entry.size === 0) return entry.content ?? emptyDigest
  using content = reader.open(entry)
  const padding = paddingSize(entry.size)
  if (entry.size + padding <= chunkSize) {
    const space = await out.space(entry.size + padding)
    content.read(space.subarray(0, entry.size), 0)
    space.fill(0, entry.size)
    return entry.content ?? (`sha256:${hash('sha256', space.subarray(0, entry.size), 'hex')}` as Digest)
  }
  const digest = entry.content === undefined ? createHash('sha256') : undefined
  for (let at = 0; at < entry.size; ) {
    const space = await out.space(Math.min(chunkSize, entry.size - at))
    content.read(space, at)
    digest?.update(space)
    at += space.length
  }
  ;(await out.space(padding)).fill(0)
  return digest ? (`sha256:${digest.digest('hex')}` as Digest) : (entry.content as Digest)
}

const emptyDigest = `sha256:${hash('sha256', Buffer.alloc(0), 'hex')}` as Digest

interface Chunked {
  /** Room for `size` bytes, at most a chunk, in the stream: the caller fills all of it before the next call. */
  space(size: number): Promise<Buffer>
  write(bytes: Uint8Array): Promise<void>
  /** Bytes so far. */
  position(): number
  flush(): Promise<void>
}

function chunked(sink: TarSink): Chunked {
  const buffer = Buffer.allocUnsafeSlow(chunkSize)
  let used = 0
  let sent = 0
  const flush = async (): Promise<void> => {
    if (used === 0) return
    await sink(buffer.subarray(0, used))
    sent += used
    used = 0
  }
  const space = async (size: number): Promise<Buffer> => {
    if (used + size > chunkSize) await flush()
    used += size
    return buffer.subarray(used - size, used)
  }
  return {
    space,
    write: async bytes => {
      for (let at = 0; at < bytes.length; at += chunkSize) {
        const part = bytes.subarray(at, at + chunkSize)
        ;(await space(part.length)).set(part)
      }
    },
    position: () => sent + used,
    flush,
  }
}

const whiteoutPrefix = '.wh.'
const opaqueName = '.wh..wh..opq'

function toHeader(entry: Entry): TarHeader {
  if (entry.type === 'whiteout') {
    const { parent, name } = splitPath(entry.path)
    return marker(entry, joinPath(parent, `${whiteoutPrefix}${name}`))
  }
  if (entry.type === 'opaque') return marker(entry, joinPath(entry.path, opaqueName))
  return entry.type === 'file' ? (entry as TarHeader) : ({ ...entry, size: 0 } as TarHeader)
}

function marker(entry: Entry, path: string): TarHeader {
  return { path, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: entry.mtime }
}
