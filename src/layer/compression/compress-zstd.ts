import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { UserError } from '#diagnostics'
import { openLibzstd } from '#linux'
import { blocksOf } from './blocks-of.ts'
import type { Compressor } from './compress-gzip.ts'

const blockSize = 1 << 20
/** 8 MiB: what every reader has to take (RFC 8878, section 3.1.1.1.2). Layers repeat themselves over such distances. */
const longWindowLog = 23
/** From here on levels look back further by themselves. */
const ultraLevel = 20

/**
 * zstd (RFC 8878) as one frame with a checksum, which finds repeats within 8 MiB. `level` 1..22, default 3. Through the installed libzstd on two threads,
 * else through node's own on one. The bytes depend on the content, the level and on which of the two libraries in which
 * version it is, not on how the source is cut. Throws a `UserError` for another level.
 */
export function compressZstd(options: { readonly level?: number; readonly withLibrary?: boolean } = {}): Compressor {
  const level = options.level ?? 3
  if (!Number.isInteger(level) || level < 1 || level > 22) {
    throw new UserError(`zstd has no level ${level}`, { hint: 'levels are 1 (fastest) to 22 (smallest)' })
  }
  const library = options.withLibrary === false ? undefined : openLibzstd()
  return library === undefined
    ? source => throughNode(source, level)
    : source => library.encode(source, { level, ...longWindow(level) })
}

function longWindow(level: number): { readonly longWindowLog?: number } {
  return level < ultraLevel ? { longWindowLog } : {}
}

/** Which library compresses, with its version: the bytes depend on it. */
export function zstdLibrary(): string {
  return openLibzstd()?.name ?? `node-${process.versions['zstd'] ?? process.version}`
}

/** Node's bytes depend on how it is fed, so it gets blocks of one size. */
async function* throughNode(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_c_enableLongDistanceMatching } =
    zlib.constants
  const params = {
    [ZSTD_c_compressionLevel]: level,
    [ZSTD_c_checksumFlag]: 1,
    ...(level < ultraLevel && { [ZSTD_c_windowLog]: longWindowLog, [ZSTD_c_enableLongDistanceMatching]: 1 }),
  }
  const codec = zlib.createZstdCompress({ chunkSize: blockSize, params })
  const fed = pipeline(Readable.from(bytesOf(source)), codec)
  // The codec is destroyed with the same error, which its reader sees.
  fed.catch(() => undefined)
  for await (const chunk of codec) yield chunk as Buffer
}

async function* bytesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { bytes } of blocksOf(source, blockSize)) if (bytes.length > 0) yield bytes
}
