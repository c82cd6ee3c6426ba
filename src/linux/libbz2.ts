import { UserError } from '#diagnostics'
import type { Decoder } from './liblzma.ts'
import {
  callAsync,
  loadLibrary,
  type NativeBuffers,
  type NativeCodec,
  type NativeLibrary,
  runNativeCodec,
} from './native-codec.ts'

/** bzlib.h, bz_stream */
const streamSize = 80
const field = { nextIn: 0, availableIn: 8, nextOut: 24, availableOut: 32 } as const
const streamEnd = 4

const problems: Readonly<Record<number, string>> = {
  [-3]: 'needs more memory than there is',
  [-4]: 'is damaged',
  [-5]: 'is not bzip2 data',
}

/** bzip2 through libbz2, concatenated streams too; `undefined` where it isn't installed. */
export function openLibbz2(): Decoder | undefined {
  const library = loadLibrary(['libbz2.so.1.0', 'libbz2.so.1'])
  if (library === undefined) return undefined
  return {
    decode: (source, name) => {
      const open = (buffers: NativeBuffers) => openStream(library, buffers, name)
      return runNativeCodec(
        library.koffi,
        { controlSize: streamSize, inputSize: 1 << 18, outputSize: 1 << 20, open },
        source,
      )
    },
  }
}

function openStream({ handle }: NativeLibrary, buffers: NativeBuffers, name: string): NativeCodec {
  const start = handle.func('int BZ2_bzDecompressInit(void *stream, int verbosity, int small)')
  const decompress = handle.func('int BZ2_bzDecompress(void *stream)')
  const end = handle.func('int BZ2_bzDecompressEnd(void *stream)')
  const { control, controlAddress } = buffers
  const check = (result: number) => {
    if (result < 0) throw failure(problems[result] ?? `can't be decompressed (libbz2 error ${result})`)
  }
  const failure = (problem: string) => new UserError(`${name} ${problem}`, { hint: 'fetch or compress it again' })
  let isOpen = false
  let hasEnded = false
  const close = () => {
    if (isOpen) end(controlAddress)
    isOpen = false
  }
  return {
    async step({ inputAt, inputEnd, outputAt }, isLast) {
      if (!isOpen) {
        // Between two streams: the next one begins with the next byte, if there is one.
        if (inputAt === inputEnd && (!isLast || hasEnded)) return { inputAt, outputAt, isEnd: isLast }
        control.fill(0)
        check(start(controlAddress, 0, 0) as number)
        isOpen = true
      }
      control.writeBigUInt64LE(buffers.inputAddress + BigInt(inputAt), field.nextIn)
      control.writeUInt32LE(inputEnd - inputAt, field.availableIn)
      control.writeBigUInt64LE(buffers.outputAddress + BigInt(outputAt), field.nextOut)
      control.writeUInt32LE(buffers.output.length - outputAt, field.availableOut)
      const result = (await callAsync(decompress, controlAddress)) as number
      check(result)
      const at = inputEnd - control.readUInt32LE(field.availableIn)
      const out = buffers.output.length - control.readUInt32LE(field.availableOut)
      if (result === streamEnd) {
        close()
        hasEnded = true
      } else if (isLast && at === inputEnd && out < buffers.output.length) throw failure('ends early')
      return { inputAt: at, outputAt: out, isEnd: result === streamEnd && isLast && at === inputEnd }
    },
    close,
  }
}
