import { createHash, hash } from 'node:crypto'
import zlib from 'node:zlib'
import { UserError } from '#diagnostics'
import type { Entry } from '#tree'
import { decompress } from './compression/decompress.ts'
import { type ContentReader, openContentReader } from './content-reader.ts'
import type { PlacedContent } from './entries-file.ts'

/**
 * A layer's archive with the contents of files cut out: headers, padding, the end. Together with the files it gives the archive
 * again, byte for byte, whoever wrote it. Kept compressed, as frames of zstd.
 */
export interface SkeletonWriter {
  /** Says that a content of `size` bytes stands at `offset` of the archive, before its bytes are pushed. */
  cut(offset: number, size: number): void
  /** The next bytes of the archive. */
  push(bytes: Uint8Array): void
  /** After the last bytes. */
  finish(): void
}

const blockSize = 1 << 20

/** `sink` gets compressed bytes, one frame at a time. */
export function createSkeletonWriter(sink: (bytes: Uint8Array) => void): SkeletonWriter {
  const block = Buffer.allocUnsafeSlow(blockSize)
  const cuts: { readonly offset: number; readonly end: number }[] = []
  let used = 0
  let position = 0
  const flush = (): void => {
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: 1 }
    if (used > 0) sink(zlib.zstdCompressSync(block.subarray(0, used), { params }))
    used = 0
  }
  const keep = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockSize - used)
      block.set(part, used)
      used += part.length
      at += part.length
      if (used === blockSize) flush()
    }
  }
  return {
    cut: (offset, size) => {
      if (size > 0) cuts.push({ offset, end: offset + size })
    },
    push: bytes => {
      const start = position
      const end = position + bytes.length
      let done = 0
      for (; done < cuts.length; done++) {
        const cut = cuts[done] as { offset: number; end: number }
        if (cut.offset > position) keep(bytes.subarray(position - start, cut.offset - start))
        position = Math.max(position, Math.min(cut.end, end))
        if (cut.end > end) break
      }
      cuts.splice(0, done)
      if (position < end) keep(bytes.subarray(position - start))
      position = end
    },
    finish: flush,
  }
}

/**
 * The archive again, from its skeleton and the files (in the archive's order), in chunks of up to 1 MiB. Each file is compared
 * with its digest before its end is given out: throws a `UserError` for one that was changed.
 */
export async function* rebuildArchive(
  skeleton: AsyncIterable<Uint8Array>,
  contents: readonly PlacedContent[],
): AsyncGenerator<Buffer> {
  await using raw = openRest(decompress(skeleton, { name: 'the skeleton of a layer' }))
  using reader = openContentReader()
  let chunk = Buffer.allocUnsafeSlow(blockSize)
  let used = 0
  const full = (): Buffer => {
    const bytes = chunk.subarray(0, used)
    chunk = Buffer.allocUnsafeSlow(blockSize)
    used = 0
    return bytes
  }
  let position = 0
  for (const { entry, offset } of contents) {
    for await (const bytes of raw.next(offset - position)) {
      if (used + bytes.length > blockSize) yield full()
      chunk.set(bytes, used)
      used += bytes.length
    }
    position = offset + entry.size
    if (used + entry.size > blockSize && used > 0) yield full()
    if (entry.size > blockSize) {
      yield* largeContent(entry, reader)
      continue
    }
    const space = chunk.subarray(used, used + entry.size)
    reader.readWhole(entry, space)
    requireSame(entry, hash('sha256', space, 'hex'))
    used += entry.size
  }
  if (used > 0) yield full()
  yield* raw.next(Number.POSITIVE_INFINITY)
}

function* largeContent(entry: Entry, reader: ContentReader): Generator<Buffer> {
  const digest = createHash('sha256')
  using content = reader.open(entry)
  for (let at = 0; at < entry.size; ) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(blockSize, entry.size - at))
    content.read(bytes, at)
    digest.update(bytes)
    at += bytes.length
    if (at === entry.size) requireSame(entry, digest.digest('hex'))
    yield bytes
  }
}

function requireSame(entry: Entry, hex: string): void {
  if (entry.content === undefined || entry.content === `sha256:${hex}`) return
  throw new UserError(`"${entry.path}" changed in the store since its layer was fetched`, {
    ...(entry.source?.kind === 'file' && { details: [entry.source.path] }),
    hint: "remove the layer's directory in the store; it is fetched again when it is needed",
  })
}

interface Rest extends AsyncDisposable {
  /** So many of the bytes that follow, in the pieces in which they come; `Infinity` for all. */
  next(size: number): AsyncGenerator<Buffer>
}

function openRest(source: AsyncGenerator<Uint8Array>): Rest {
  let rest: Buffer = Buffer.alloc(0)
  return {
    next: async function* (size) {
      for (let missing = size; missing > 0; ) {
        if (rest.length === 0) {
          const { value, done } = await source.next()
          if (done !== true) rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
          else if (size === Number.POSITIVE_INFINITY) return
          else throw endsEarly()
        }
        const part = rest.subarray(0, Math.min(missing, blockSize))
        rest = rest.subarray(part.length)
        missing -= part.length
        yield part
      }
    },
    [Symbol.asyncDispose]: async () => void (await source.return(undefined)),
  }
}

function endsEarly(): UserError {
  return new UserError('the store is damaged: the skeleton of a layer ends early', {
    hint: 'remove the image and pull it again',
  })
}
