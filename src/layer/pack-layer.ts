import { createHash, hash } from 'node:crypto'
import { UserError } from '#diagnostics'
import type { Digest } from '#oci'
import { encodeTarHeader, endOfArchive, paddingSize, type TarHeader } from '#tar'
import { contentOf, type Entry, joinPath, type LayerTree, splitPath } from '#tree'
import { type ContentReader, openContentReader } from './content-reader.ts'
import type { HashThread } from './hash-thread.ts'

/** Takes the archive's bytes; the buffer may be used again once the promise is fulfilled. */
export type TarSink = (bytes: Uint8Array) => Promise<void>

/** What packing found out, entry by entry: a layer may have a million, so they are not copied. */
export interface PackedLayer {
  /** By position in the entries given: where a file's content stands in the archive; -1 for others. */
  readonly offsets: readonly number[]
  /** Bytes of the archive. */
  readonly tarSize: number
  /** Bytes of file content. */
  readonly size: number
}

/**
 * Sees contents on their way into the archive; larger files (of some 1 MiB and more) are not shown. The bytes are those of the
 * archive's buffer: they must be neither kept nor changed.
 */
export type ContentSink = (entry: Entry, bytes: Uint8Array) => void

const chunkSize = 1 << 20

/** Bytes of files larger than a chunk from which on a second thread that hashes them is worth its start. */
const worthThread = 64 << 20

/**
 * Packs entries as a layer archive in one pass: each file is read once; its digest is left at its source, its place in
 * the archive comes out. Whiteouts become `.wh.` members (image-spec, layer.md "Representing Changes"); the root is left out.
 */
export async function packLayer(
  entries: LayerTree,
  sink: TarSink,
  options: { readonly signal?: AbortSignal; readonly onContent?: ContentSink } = {},
): Promise<PackedLayer> {
  const out = chunked(sink)
  using reader = openContentReader()
  await using thread = await hashThread(entries)
  const target: Target = {
    reader,
    out,
    ...(thread && { thread }),
    ...(options.signal && { signal: options.signal }),
    ...(options.onContent && { onContent: options.onContent }),
  }
  const offsets: number[] = []
  let size = 0
  for (const entry of entries) {
    if (offsets.length % 256 === 0) options.signal?.throwIfAborted()
    let offset = -1
    if (entry.path !== '') {
      const header = encodeTarHeader(toHeader(entry))
      if (out.fits(header.length)) out.space(header.length).set(header)
      else await out.write(header)
      if (entry.type === 'file') {
        offset = out.position()
        if (out.fits(entry.size + paddingSize(entry.size))) packWhole(entry, target)
        else await packContent(entry, target)
        size += entry.size
      }
    }
    offsets.push(offset)
  }
  await out.write(endOfArchive)
  await out.end()
  return { offsets, tarSize: out.position(), size }
}

/** From where contents come, and where they go. */
interface Target {
  readonly reader: ContentReader
  readonly out: Chunked
  readonly onContent?: ContentSink
  readonly thread?: HashThread
  readonly signal?: AbortSignal
}

/** Large files are hashed for themselves on a thread of their own while this one hashes the archive. */
async function hashThread(entries: LayerTree): Promise<HashThread | undefined> {
  let large = 0
  for (const { type, size } of entries) if (type === 'file' && size > chunkSize) large += size
  if (large < worthThread) return undefined
  const { openHashThread } = await import('./hash-thread.ts')
  return openHashThread(chunkSize)
}

/** Contents are hashed even where their digest is known: a file may have changed since. */
async function packContent(entry: Entry, target: Target): Promise<void> {
  const { reader, out, signal } = target
  const padding = paddingSize(entry.size)
  if (entry.size + padding <= chunkSize) {
    await out.flush()
    packWhole(entry, target)
    return
  }
  if (target.thread) return packOnTwoThreads(entry, target, target.thread)
  using content = reader.open(entry)
  const digest = createHash('sha256')
  for (let at = 0; at < entry.size; ) {
    signal?.throwIfAborted()
    await out.flush()
    const space = out.space(Math.min(chunkSize, entry.size - at))
    content.read(space, at)
    digest.update(space)
    at += space.length
  }
  if (!out.fits(padding)) await out.flush()
  out.space(padding).fill(0)
  keepDigest(entry, digest.digest('hex'))
}

/** The sink makes the archive's digest on this thread while the other makes the content's, of the same bytes. */
async function packOnTwoThreads(entry: Entry, { reader, out, signal }: Target, thread: HashThread): Promise<void> {
  using content = reader.open(entry)
  const hashed: Promise<void>[] = thread.buffers.map(() => Promise.resolve())
  await out.flush()
  for (let at = 0, i = 0; at < entry.size; i = (i + 1) % thread.buffers.length) {
    signal?.throwIfAborted()
    await hashed[i]
    const bytes = (thread.buffers[i] as Buffer).subarray(0, entry.size - at)
    content.read(bytes, at)
    const taken = thread.update(bytes)
    // Looked at when its buffer is wanted again, or with the digest; meanwhile a failure is not unhandled.
    taken.catch(() => undefined)
    hashed[i] = taken
    await out.pass(bytes)
    at += bytes.length
  }
  // The thread is through with everything then; an answer is never left for the next file.
  keepDigest(entry, await thread.digest())
  out.space(paddingSize(entry.size)).fill(0)
}

/** A file that fits into the chunk at hand; nothing waits, as there may be very many of them. */
function packWhole(entry: Entry, { reader, out, onContent }: Target): void {
  if (entry.size === 0) return
  const space = out.space(entry.size + paddingSize(entry.size))
  const bytes = space.subarray(0, entry.size)
  reader.readWhole(entry, bytes)
  space.fill(0, entry.size)
  keepDigest(entry, hash('sha256', bytes, 'hex'))
  onContent?.(entry, bytes)
}

function keepDigest(entry: Entry, hex: string): void {
  const digest = `sha256:${hex}` as Digest
  const known = contentOf(entry)
  if (known !== undefined && known !== digest) {
    throw new UserError(`"${entry.path}" changed while it was read`, {
      hint: 'something changed the file during the build; build again when it is at rest',
    })
  }
  if (entry.source) entry.source.learnt = digest
}

interface Chunked {
  /** Whether so many bytes fit into the chunk at hand. */
  fits(size: number): boolean
  /** The next `size` bytes of the chunk, which must fit: the caller fills all of them before anything else. */
  space(size: number): Buffer
  write(bytes: Uint8Array): Promise<void>
  /** Bytes so far. */
  position(): number
  /** Hands the chunk on; the next one is filled while the sink still has it. */
  flush(): Promise<void>
  /**
   * Hands on bytes of another buffer, after a flush. They must stay as they are until the next call of `pass` or `flush` is
   * fulfilled.
   */
  pass(bytes: Buffer): Promise<void>
  end(): Promise<void>
}

/** Chunks of archives that are complete, for the next ones: a build may have a thousand small layers. */
const restingChunks: Buffer[] = []
const mostResting = 4

function takeChunk(): Buffer {
  return restingChunks.pop() ?? Buffer.allocUnsafeSlow(chunkSize)
}

function chunked(sink: TarSink): Chunked {
  let filling = takeChunk()
  let spare = takeChunk()
  let used = 0
  let sent = 0
  let sending: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await sending
    if (used === 0) return
    sending = sink(filling.subarray(0, used))
    // Looked at by the next flush; meanwhile a failure is not unhandled.
    sending.catch(() => undefined)
    ;[filling, spare] = [spare, filling]
    sent += used
    used = 0
  }
  const pass = async (bytes: Buffer): Promise<void> => {
    await sending
    sending = sink(bytes)
    sending.catch(() => undefined)
    sent += bytes.length
  }
  const space = (size: number): Buffer => {
    used += size
    return filling.subarray(used - size, used)
  }
  return {
    fits: size => used + size <= chunkSize,
    space,
    write: async bytes => {
      for (let at = 0; at < bytes.length; at += chunkSize) {
        const part = bytes.subarray(at, at + chunkSize)
        if (used + part.length > chunkSize) await flush()
        space(part.length).set(part)
      }
    },
    position: () => sent + used,
    flush,
    pass,
    end: async () => {
      await flush()
      await sending
      for (const chunk of [filling, spare]) if (restingChunks.length < mostResting) restingChunks.push(chunk)
    },
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
  return entry.type === 'hardlink' ? ({ ...entry, size: 0 } as TarHeader) : (entry as TarHeader)
}

function marker(entry: Entry, path: string): TarHeader {
  return { path, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: entry.mtime }
}
