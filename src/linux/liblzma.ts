import { UserError } from '#diagnostics'
import {
  callAsync,
  loadLibrary,
  type NativeBuffers,
  type NativeCodec,
  type NativeLibrary,
  runNativeCodec,
} from './native-codec.ts'

/**
 * Decoder of the installed library; `name` is how errors call the data. `transient`: pieces are good until the next one is asked
 * for, and so need not be copied.
 */
export interface Decoder {
  decode(source: AsyncIterable<Uint8Array>, name: string, transient?: boolean): AsyncIterable<Uint8Array>
}

/** lzma/base.h */
const streamSize = 136
const field = { nextIn: 0, availableIn: 8, nextOut: 24, availableOut: 32 } as const
const run = 0
const finish = 3
const concatenated = 0x08
/** Enough for `xz -9` (65 MiB) several times; a hostile header can ask for 4 GiB. */
const memoryLimit = 512 * 1024 * 1024

const problems: Readonly<Record<number, string>> = {
  5: 'needs more memory than there is',
  6: `needs more than ${memoryLimit >> 20} MiB of memory to decompress`,
  7: 'is not xz data',
  8: 'uses xz options that the installed liblzma does not know',
  9: 'is damaged',
  10: 'ends early',
}

/** xz through liblzma (xz-format.txt: concatenated streams and padding too); `undefined` where it isn't installed. */
export function openLiblzma(): Decoder | undefined {
  const library = loadLibrary(['liblzma.so.5'])
  if (library === undefined) return undefined
  return {
    decode: (source, name, transient = false) => {
      const open = (buffers: NativeBuffers) => openStream(library, buffers, name)
      return runNativeCodec(
        library.koffi,
        { controlSize: streamSize, inputSize: 1 << 18, outputSize: 1 << 20, transient, open },
        source,
      )
    },
  }
}

function openStream({ handle }: NativeLibrary, buffers: NativeBuffers, name: string): NativeCodec {
  const start = handle.func('int lzma_stream_decoder(void *stream, uint64 limit, uint32 flags)')
  const code = handle.func('int lzma_code(void *stream, int action)')
  const end = handle.func('void lzma_end(void *stream)')
  const { control, controlAddress } = buffers
  const check = (result: number) => {
    if (result <= 1) return
    throw new UserError(`${name} ${problems[result] ?? `can't be decompressed (liblzma error ${result})`}`, {
      hint: 'fetch or compress it again',
    })
  }
  check(start(controlAddress, memoryLimit, concatenated) as number)
  return {
    async step({ inputAt, inputEnd, outputAt }, isLast) {
      control.writeBigUInt64LE(buffers.inputAddress + BigInt(inputAt), field.nextIn)
      control.writeBigUInt64LE(BigInt(inputEnd - inputAt), field.availableIn)
      control.writeBigUInt64LE(buffers.outputAddress + BigInt(outputAt), field.nextOut)
      control.writeBigUInt64LE(BigInt(buffers.output.length - outputAt), field.availableOut)
      const result = (await callAsync(code, controlAddress, isLast ? finish : run)) as number
      check(result)
      return {
        inputAt: inputEnd - Number(control.readBigUInt64LE(field.availableIn)),
        outputAt: buffers.output.length - Number(control.readBigUInt64LE(field.availableOut)),
        isEnd: result === 1,
      }
    },
    close: () => void end(controlAddress),
  }
}
