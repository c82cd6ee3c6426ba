import {
  callAsync,
  loadLibrary,
  type NativeBuffers,
  type NativeCodec,
  type NativeLibrary,
  runNativeCodec,
} from './native-codec.ts'

/** Compressor of the installed library. */
export interface ZstdEncoder {
  /** `libzstd-1.5.4`. */
  readonly name: string
  /**
   * One frame with a checksum. The bytes depend on the content, the level and the library's version, not on how the
   * source is cut nor on the number of processors.
   */
  encode(source: AsyncIterable<Uint8Array>, options: ZstdOptions): AsyncIterable<Uint8Array>
}

export interface ZstdOptions {
  /** 1 to 22. */
  readonly level: number
  /** Looks back so far, as a power of two of bytes, for long repeats; absent: as far as the level does by itself. */
  readonly longWindowLog?: number
}

/** zstd.h: ZSTD_inBuffer and ZSTD_outBuffer are each pointer, size, position; here one after the other. */
const buffersSize = 48
const field = { input: 0, output: 24, pointer: 0, size: 8, position: 16 } as const
const parameter = { level: 100, windowLog: 101, longDistance: 160, checksum: 201, workers: 400 } as const
const operation = { continue: 0, end: 2 } as const
/** With at least one worker the bytes are those of any number of workers. */
const workers = 2

/** zstd through libzstd; `undefined` where it isn't installed or was built without threads. */
export function openLibzstd(): ZstdEncoder | undefined {
  const library = loadLibrary(['libzstd.so.1'])
  if (library === undefined) return undefined
  const calls = bind(library)
  const probe = calls.create()
  const hasThreads = calls.isError(calls.set(probe, parameter.workers, workers)) === 0
  calls.free(probe)
  if (!hasThreads) return undefined
  return {
    name: `libzstd-${calls.version()}`,
    encode: (source, options) => {
      const open = (buffers: NativeBuffers) => openStream(calls, buffers, options)
      return runNativeCodec(
        library.koffi,
        { controlSize: buffersSize, inputSize: 1 << 20, outputSize: 1 << 18, open },
        source,
      )
    },
  }
}

type Calls = ReturnType<typeof bind>

function bind({ handle }: NativeLibrary) {
  return {
    version: handle.func('const char *ZSTD_versionString()') as () => string,
    create: handle.func('void *ZSTD_createCCtx()') as () => unknown,
    free: handle.func('uint64 ZSTD_freeCCtx(void *context)') as (context: unknown) => unknown,
    set: handle.func('uint64 ZSTD_CCtx_setParameter(void *context, int parameter, int value)') as (
      context: unknown,
      parameter: number,
      value: number,
    ) => unknown,
    isError: handle.func('uint32 ZSTD_isError(uint64 code)') as (code: unknown) => number,
    errorName: handle.func('const char *ZSTD_getErrorName(uint64 code)') as (code: unknown) => string,
    compress: handle.func('uint64 ZSTD_compressStream2(void *context, void *output, void *input, int operation)'),
  }
}

function openStream(calls: Calls, buffers: NativeBuffers, { level, longWindowLog }: ZstdOptions): NativeCodec {
  const { control, controlAddress } = buffers
  const context = calls.create()
  const check = (code: unknown) => {
    if (calls.isError(code) !== 0) throw new Error(`libzstd: ${calls.errorName(code)}`)
    return code
  }
  const describe = (at: number, pointer: bigint, size: number, position: number) => {
    control.writeBigUInt64LE(pointer, at + field.pointer)
    control.writeBigUInt64LE(BigInt(size), at + field.size)
    control.writeBigUInt64LE(BigInt(position), at + field.position)
  }
  check(calls.set(context, parameter.level, level))
  check(calls.set(context, parameter.checksum, 1))
  if (longWindowLog !== undefined) {
    check(calls.set(context, parameter.windowLog, longWindowLog))
    check(calls.set(context, parameter.longDistance, 1))
  }
  check(calls.set(context, parameter.workers, workers))
  return {
    async step({ inputAt, inputEnd, outputAt }, isLast) {
      describe(field.input, buffers.inputAddress, inputEnd, inputAt)
      describe(field.output, buffers.outputAddress, buffers.output.length, outputAt)
      const output = controlAddress + BigInt(field.output)
      const mode = isLast ? operation.end : operation.continue
      const left = check(await callAsync(calls.compress, context, output, controlAddress, mode))
      return {
        inputAt: Number(control.readBigUInt64LE(field.input + field.position)),
        outputAt: Number(control.readBigUInt64LE(field.output + field.position)),
        isEnd: isLast && Number(left) === 0,
      }
    },
    close: () => void calls.free(context),
  }
}
