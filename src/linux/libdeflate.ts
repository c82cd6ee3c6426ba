import { availableParallelism } from 'node:os'
import zlib from 'node:zlib'
import type * as Koffi from 'koffi'
import { callAsync, loadLibrary, type NativeLibrary } from './native-codec.ts'

/** Compressor of the installed library. */
export interface GzipEncoder {
  /** `libdeflate-1f2e3d4c`: the library doesn't tell its version, so what it makes of a text stands for it. */
  readonly name: string
  /**
   * gzip (RFC 1952): a member for each MiB, without a file's name or time; members follow each other (section 2.2). The
   * bytes depend on the content, the level (1 to 12) and the library's version, not on how the source is cut nor on the
   * number of processors.
   */
  encode(source: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array>
}

const memberSize = 1 << 20

/** Members in work of one stream: each has some 2 MiB of memory, and of all calls at once there may be 256 (koffi's `max_async_calls`). */
const mostLanes = 17

/** gzip through libdeflate, on all processors; `undefined` where it isn't installed. */
export function openLibdeflate(): GzipEncoder | undefined {
  const library = loadLibrary(['libdeflate.so.0'])
  if (library === undefined) return undefined
  const calls = bind(library)
  return {
    name: `libdeflate-${fingerprint(library.koffi, calls)}`,
    encode: (source, level) => encode(library.koffi, calls, source, level),
  }
}

type Calls = ReturnType<typeof bind>

function bind({ handle }: NativeLibrary) {
  return {
    create: handle.func('void *libdeflate_alloc_compressor(int level)') as (level: number) => unknown,
    free: handle.func('void libdeflate_free_compressor(void *compressor)') as (compressor: unknown) => void,
    bound: handle.func('uint64 libdeflate_gzip_compress_bound(void *compressor, uint64 size)') as (
      compressor: unknown,
      size: number,
    ) => number | bigint,
    compress: handle.func(
      'uint64 libdeflate_gzip_compress(void *compressor, void *input, uint64 size, void *output, uint64 room)',
    ),
  }
}

/** A compressor with memory for one member, and what it works on. */
interface Lane {
  readonly input: Buffer
  filled: number
  /** The member of what `input` holds, made on another thread. */
  compress(): Promise<Buffer>
  /** The same on this thread. */
  compressNow(): Buffer
  free(): void
}

function openLane(koffi: typeof Koffi, calls: Calls, level: number, inputSize: number): Lane {
  const compressor = calls.create(level)
  if (compressor === null) throw new Error(`libdeflate has no compressor of level ${level}`)
  const room = Number(calls.bound(compressor, inputSize))
  const memory = koffi.alloc('uint8', inputSize + room) as unknown
  const bytes = Buffer.from(koffi.view(memory, inputSize + room))
  const from = koffi.address(memory)
  const to = from + BigInt(inputSize)
  const member = (size: unknown): Buffer => {
    if (Number(size) === 0) throw new Error('libdeflate: a member is larger than it can be')
    // A copy: the memory serves the next member while this one is being sent.
    return Buffer.from(bytes.subarray(inputSize, inputSize + Number(size)))
  }
  return {
    input: bytes.subarray(0, inputSize),
    filled: 0,
    async compress() {
      return member(await callAsync(calls.compress, compressor, from, this.filled, to, room))
    },
    compressNow() {
      return member(calls.compress(compressor, from, this.filled, to, room))
    },
    free() {
      calls.free(compressor)
      koffi.free(memory)
    },
  }
}

async function* encode(
  koffi: typeof Koffi,
  calls: Calls,
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const most = Math.min(availableParallelism() + 1, mostLanes)
  const lanes: Lane[] = []
  const idle: Lane[] = []
  const running: { readonly lane: Lane; readonly member: Promise<Buffer> }[] = []
  const start = (lane: Lane): void => {
    const member = lane.compress()
    // Awaited in its turn; until then a failure must not count as unhandled.
    member.catch(() => undefined)
    running.push({ lane, member })
  }
  /** One that nothing is in; opened when it is needed, since most streams are short. */
  const take = (): Lane => {
    const free = idle.pop()
    if (free !== undefined) return free
    const opened = openLane(koffi, calls, level, memberSize)
    lanes.push(opened)
    return opened
  }
  const next = async (): Promise<Buffer> => {
    const { lane, member } = running.shift() as (typeof running)[number]
    const bytes = await member
    lane.filled = 0
    idle.push(lane)
    return bytes
  }
  try {
    let lane = take()
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) {
        if (lane.filled === memberSize) {
          start(lane)
          if (running.length === most) yield await next()
          lane = take()
        }
        const piece = chunk.subarray(at, at + memberSize - lane.filled)
        lane.input.set(piece, lane.filled)
        at += piece.length
        lane.filled += piece.length
      }
    }
    start(lane)
    while (running.length > 0) yield await next()
  } finally {
    // Calls at work, whose reader is gone, still use the memory.
    await Promise.allSettled(running.map(each => each.member))
    for (const lane of lanes) lane.free()
  }
}

function fingerprint(koffi: typeof Koffi, calls: Calls): string {
  const lane = openLane(koffi, calls, 6, 1 << 14)
  try {
    for (let i = 0; i < lane.input.length; i++) lane.input[i] = (i * i) >> 7
    lane.filled = lane.input.length
    return zlib.crc32(lane.compressNow()).toString(16).padStart(8, '0')
  } finally {
    lane.free()
  }
}
