import zlib from 'node:zlib'
import { availableParallelism } from 'node:os'
import { UserError } from '#diagnostics'
import { openLibdeflate } from '#linux'
import { blocksOf } from './blocks-of.ts'

/** Turns a stream into a compressed one. */
export type Compressor = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

const blockSize = 1 << 20
/** How far deflate looks back. */
const windowSize = 1 << 15

/** Smaller than zlib's default, in half of its time. */
const libdeflateLevel = 5
const zlibLevel = 6

/**
 * gzip (RFC 1952), its blocks of 1 MiB deflated side by side. The header has no name and no time.
 *
 * With a `level` (0..9), as one member on libuv's threads: each block knows the 32 KiB before it, so that it compresses
 * as well as one stream would, and the bytes depend on the content and the level only. Without, through the installed
 * libdeflate, which takes half the time and makes it smaller: a member for each block, and the bytes depend on the
 * library's version, too; where it isn't installed, as with level 6. Throws a `UserError` for another level.
 */
export function compressGzip(options: { readonly level?: number; readonly withLibrary?: boolean } = {}): Compressor {
  const level = options.level ?? zlibLevel
  if (!Number.isInteger(level) || level < 0 || level > 9) {
    throw new UserError(`gzip has no level ${level}`, { hint: 'levels are 0 (stored) to 9 (smallest)' })
  }
  const library = options.level !== undefined || options.withLibrary === false ? undefined : openLibdeflate()
  return library === undefined ? source => compress(source, level) : source => library.encode(source, libdeflateLevel)
}

/** What makes gzip of a level, or of none: the bytes depend on it. */
export function gzipMaker(level: number | undefined): string {
  const library = level === undefined ? openLibdeflate() : undefined
  return library === undefined ? `${level ?? zlibLevel}` : `${libdeflateLevel}-${library.name}`
}

async function* compress(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lanes = Math.max(2, availableParallelism() + 1)
  const running: Promise<Buffer>[] = []
  let dictionary: Buffer | undefined
  let crc = 0
  let size = 0
  yield Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level === 9 ? 2 : level === 1 ? 4 : 0, 255)
  try {
    for await (const { bytes, isLast } of blocksOf(source, blockSize)) {
      const job = deflate(bytes, { level, isLast, dictionary })
      // Awaited in its turn; until then a failure must not count as unhandled.
      job.catch(() => undefined)
      running.push(job)
      crc = zlib.crc32(bytes, crc)
      size = (size + bytes.length) % 2 ** 32
      dictionary = bytes.subarray(-windowSize)
      if (running.length >= lanes) yield (await running.shift()) as Buffer
    }
    while (running.length > 0) yield (await running.shift()) as Buffer
  } finally {
    // The rest of what a reader no longer wants.
    await Promise.allSettled(running)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size, 4)
  yield trailer
}

function deflate(
  bytes: Buffer,
  options: { readonly level: number; readonly isLast: boolean; readonly dictionary: Buffer | undefined },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { level, isLast, dictionary } = options
    // One piece of output, so that a block is one job of a thread: deflate never adds more than a few bytes per 16 KiB.
    const chunkSize = bytes.length + (bytes.length >> 8) + 1024
    const finishFlush = isLast ? zlib.constants.Z_FINISH : zlib.constants.Z_SYNC_FLUSH
    zlib.deflateRaw(
      bytes,
      { level, chunkSize, finishFlush, ...(dictionary !== undefined && { dictionary }) },
      (error, result) => (error === null ? resolve(result) : reject(error)),
    )
  })
}
