import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import type * as Koffi from 'koffi'

/** Memory outside of the garbage collector, so that a library may keep pointers into it between calls. */
export interface NativeBuffers {
  /** The library's own structure, zeroed. */
  readonly control: Buffer
  readonly controlAddress: bigint
  readonly input: Buffer
  readonly inputAddress: bigint
  readonly output: Buffer
  readonly outputAddress: bigint
}

/** Where a codec stands in its two buffers, in bytes from their starts. */
export interface CodecPosition {
  readonly inputAt: number
  readonly inputEnd: number
  readonly outputAt: number
}

/** A compressor or decompressor at work. */
export interface NativeCodec {
  /**
   * One call into the library, off the main thread. `isLast`: nothing follows this input. Says how far it got, and
   * with `isEnd` that, after the last input, nothing more will come out. Throws for damaged input.
   */
  step(position: CodecPosition, isLast: boolean): Promise<{ inputAt: number; outputAt: number; isEnd: boolean }>
  /** Releases what the library holds. */
  close(): void
}

export interface NativeLibrary {
  readonly koffi: typeof Koffi
  readonly handle: Koffi.LibraryHandle
}

/** Loads the first of `names` that is there; `undefined` where none is, or where structures have another layout. */
export function loadLibrary(names: readonly string[]): NativeLibrary | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    if (koffi.sizeof('void *') !== 8 || endianness() !== 'LE') return undefined
    for (const name of names) {
      try {
        // Deep: node exports its own zstd, and the library's calls to itself must not end there.
        return { koffi, handle: koffi.load(name, { deep: true }) }
      } catch {
        // The next name.
      }
    }
  } catch {
    // No binary of koffi for this machine.
  }
  return undefined
}

/** Calls a function on another thread. */
export function callAsync(call: Koffi.KoffiFunc<(...args: never[]) => unknown>, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const start = call.async as (...args: unknown[]) => void
    start(...args, (error: unknown, result: unknown) => {
      if (error === null || error === undefined) resolve(result)
      else reject(error as Error)
    })
  })
}

export interface NativeCodecOptions {
  /** Bytes of the library's structure. */
  readonly controlSize: number
  /** Bytes that each call but the last gets, however the source is cut. */
  readonly inputSize: number
  /** Bytes of each piece that comes out, but the last. */
  readonly outputSize: number
  /** Pieces are the codec's own memory, good until the next one is asked for; by default each is a copy. */
  readonly transient?: boolean
  open(buffers: NativeBuffers): NativeCodec
}

/** Runs `source` through a codec. */
export async function* runNativeCodec(
  koffi: typeof Koffi,
  options: NativeCodecOptions,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { buffers, free } = allocate(koffi, options)
  let codec: NativeCodec | undefined
  let outputAt = 0
  const takeOutput = () => {
    const bytes = buffers.output.subarray(0, outputAt)
    outputAt = 0
    return options.transient ? bytes : Buffer.from(bytes)
  }
  async function* feed(running: NativeCodec, inputEnd: number, isLast: boolean): AsyncGenerator<Uint8Array> {
    for (let inputAt = 0; ; ) {
      const got = await running.step({ inputAt, inputEnd, outputAt }, isLast)
      inputAt = got.inputAt
      outputAt = got.outputAt
      if (outputAt === buffers.output.length) yield takeOutput()
      else if (isLast ? got.isEnd : inputAt === inputEnd) return
    }
  }
  try {
    codec = options.open(buffers)
    let filled = 0
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + options.inputSize - filled)
        buffers.input.set(piece, filled)
        at += piece.length
        filled += piece.length
        if (filled === options.inputSize) {
          yield* feed(codec, filled, false)
          filled = 0
        }
      }
    }
    yield* feed(codec, filled, true)
    if (outputAt > 0) yield takeOutput()
  } finally {
    codec?.close()
    free()
  }
}

function allocate(koffi: typeof Koffi, options: NativeCodecOptions): { buffers: NativeBuffers; free: () => void } {
  const controlSize = Math.ceil(options.controlSize / 64) * 64
  const size = controlSize + options.inputSize + options.outputSize
  const pointer = koffi.alloc('uint8', size) as unknown
  const address = koffi.address(pointer)
  const bytes = Buffer.from(koffi.view(pointer, size))
  const control = bytes.subarray(0, controlSize).fill(0)
  const input = bytes.subarray(controlSize, controlSize + options.inputSize)
  return {
    buffers: {
      control,
      controlAddress: address,
      input,
      inputAddress: address + BigInt(controlSize),
      output: bytes.subarray(controlSize + options.inputSize),
      outputAddress: address + BigInt(controlSize + options.inputSize),
    },
    free: () => koffi.free(pointer),
  }
}
