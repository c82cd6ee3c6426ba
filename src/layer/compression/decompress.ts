import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { UserError } from '#diagnostics'
import { FilterError, findProgram, hostSearchPath, openLibbz2, openLiblzma, pipeThrough } from '#linux'
import { type Compression, sniffCompression, sniffSize } from './sniff-compression.ts'
import { createZstdSplitter, ZstdFormError, type ZstdPiece } from './zstd-frames.ts'

export interface DecompressOptions {
  /** How errors call the data; default `the archive`. */
  readonly name?: string
  /** False: never the libraries, always the programs `xz` and `bzip2`. */
  readonly withLibraries?: boolean
  /** The caller keeps no piece once it asks for the next: pieces may then be used again, which spares copies. */
  readonly transient?: boolean
}

const pieceSize = 1 << 18

/**
 * The plain bytes of `source`, whatever it is compressed with (told by content; what isn't compressed passes as it is).
 * Concatenated gzip members, zstd frames, xz and bzip2 streams are one. Decompresses off the main thread, in pieces of
 * 256 KiB to 1 MiB, with bounded memory. Throws a `UserError` for damaged or truncated data and where neither library
 * nor program is installed.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { start, all } = await peek(source)
  yield* decompressAs(sniffCompression(start), all, options)
}

function decompressAs(
  compression: Compression,
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
): AsyncIterable<Uint8Array> {
  const { name = 'the archive', withLibraries = true, transient = false } = options
  switch (compression) {
    case 'none':
      return source
    case 'gzip':
      return released(throughZlib(source, zlib.createGunzip({ chunkSize: pieceSize }), name), transient)
    case 'zstd':
      return released(throughZstd(source, name), transient)
    case 'xz': {
      const library = withLibraries ? openLiblzma() : undefined
      return (
        library?.decode(source, name, transient) ?? throughProgram({ program: 'xz', package: 'xz-utils' }, source, name)
      )
    }
    case 'bzip2': {
      const library = withLibraries ? openLibbz2() : undefined
      return library?.decode(source, name) ?? throughProgram({ program: 'bzip2', package: 'bzip2' }, source, name)
    }
  }
}

/** Reads just enough to tell the format; `all` gives everything. */
async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ start: Uint8Array; all: AsyncGenerator<Uint8Array, void, undefined> }> {
  const iterator = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let size = 0
  while (size < sniffSize) {
    const result = await iterator.next()
    if (result.done === true) break
    first.push(result.value)
    size += result.value.length
  }
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* first
      yield* { [Symbol.asyncIterator]: () => iterator }
    } finally {
      await iterator.return?.()
    }
  }
  return { start: Buffer.concat(first).subarray(0, sniffSize), all: all() }
}

const problems: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: 'ends early',
  Z_DATA_ERROR: 'is damaged',
  ZSTD_error_srcSize_wrong: 'ends early',
  ZSTD_error_frameParameter_windowTooLarge: 'needs more memory to decompress than is allowed (zstd window)',
}

/**
 * Gives back the memory of transient pieces at once. Left to the garbage collector, which counts memory outside of its heap, some 15 MB
 * of pieces make it look through the whole heap. Node's zlib fills a buffer of its own with pieces; the last one ends where it ends.
 */
async function* released(
  pieces: AsyncIterable<Uint8Array>,
  transient: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    yield piece
    const { buffer, byteOffset, byteLength } = piece
    if (transient && buffer instanceof ArrayBuffer && byteOffset + byteLength === buffer.byteLength) buffer.transfer(0)
  }
}

async function* throughZlib(
  source: AsyncIterable<Uint8Array>,
  codec: zlib.Gunzip | zlib.ZstdDecompress,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const done = pipeline(Readable.from(source), codec)
  // The codec is destroyed with the same error, which its reader sees; a reader that stops early wants none.
  done.catch(() => undefined)
  try {
    for await (const chunk of codec) yield chunk as Buffer
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!/^(Z_|ZSTD_|ERR_ZLIB)/.test(code)) throw error
    throw new UserError(`${name} ${problems[code] ?? `is damaged (${(error as Error).message})`}`, {
      hint: 'fetch or compress it again',
      cause: error,
    })
  }
}

/** Each frame gets its own decompressor: node's ends with the first. */
async function* throughZstd(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = zstdPieces(source, name)
  async function* frame(first: ZstdPiece): AsyncGenerator<Uint8Array, void, undefined> {
    yield first.bytes
    for (let isEnd = first.endsFrame; !isEnd; ) {
      const { value } = await pieces.next()
      if (value === undefined) return
      yield value.bytes
      isEnd = value.endsFrame
    }
  }
  try {
    for (;;) {
      const { value: first } = await pieces.next()
      if (first === undefined) return
      yield* throughZlib(frame(first), zlib.createZstdDecompress({ chunkSize: pieceSize }), name)
    }
  } finally {
    await pieces.return()
  }
}

async function* zstdPieces(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<ZstdPiece, void, undefined> {
  const splitter = createZstdSplitter()
  try {
    for await (const chunk of source) yield* splitter.push(chunk)
  } catch (error) {
    if (!(error instanceof ZstdFormError)) throw error
    throw new UserError(`${name} is damaged: ${error.message}`, { hint: 'fetch or compress it again', cause: error })
  }
  if (!splitter.isBetween()) throw new UserError(`${name} ends early`, { hint: 'fetch or compress it again' })
}

async function* throughProgram(
  needed: { readonly program: string; readonly package: string },
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const program = findProgram(needed.program, hostSearchPath(undefined))
  if (program === undefined) {
    throw new UserError(`${name} is compressed with ${needed.program}, which is not installed`, {
      hint: `install the Debian package "${needed.package}"`,
    })
  }
  try {
    yield* pipeThrough(program, ['-dc'], source)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    throw new UserError(`${name} can't be decompressed: ${error.complaint || error.message}`, {
      hint: 'fetch or compress it again',
      cause: error,
    })
  }
}
