import type { TarHeader } from './header.ts'
import { createTarParser, type TarOptions } from './tar-parser.ts'

/** A member of an archive that is being read. */
export interface TarMember {
  readonly header: TarHeader
  /**
   * Where the content starts, in bytes from the start of the uncompressed archive; `undefined` for a sparse file, whose
   * content doesn't lie there in one piece.
   */
  readonly offset: number | undefined
  /**
   * The content, holes of sparse files as zeros. To be read before the next member is asked for, and once; what is not
   * read is skipped. The chunks are views of the source's chunks.
   */
  content(): AsyncIterable<Uint8Array>
}

type ReadEvent =
  | { readonly kind: 'member'; readonly header: TarHeader; readonly offset: number | undefined }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'hole'; readonly size: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly error: unknown }

const memberEnd: ReadEvent = { kind: 'end' }
const zeros = Buffer.alloc(1 << 16)

/**
 * The members of an uncompressed archive (ustar, PAX, GNU, old), in order; `createTarParser` says what is accepted.
 * Paths are as in the archive, a leading `./` or `/` too, only trailing slashes are cut (so `/` is the empty path).
 * The source is read to its end, past the end of the archive, so that a source that verifies itself gets to do so.
 * Throws a `UserError` for damaged or truncated input.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  options: TarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const events = createEventQueue(source, options)
  let current = 0
  let ended = 0

  async function* contentOf(member: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (member !== current) throw new Error('the content of a tar member was asked for after the next member')
      if (ended === member) return
      const event = events.next() ?? (await events.wait())
      if (event?.kind === 'bytes') yield event.bytes
      else if (event?.kind === 'hole') yield* zerosOf(event.size)
      else ended = member
    }
  }

  try {
    for (;;) {
      const event = events.next() ?? (await events.wait())
      if (event === undefined) return
      if (event.kind !== 'member') continue
      const member = ++current
      yield { header: event.header, offset: event.offset, content: () => contentOf(member) }
    }
  } finally {
    await events.close()
  }
}

function* zerosOf(size: number): Generator<Uint8Array, void, undefined> {
  for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length))
}

/** What the parser saw in the chunks read so far, and has not been asked for. */
interface EventQueue {
  /** The next event if it is already there. */
  next(): ReadEvent | undefined
  /** Reads on to the next event; `undefined` at the end of the source. Throws what the parser threw. */
  wait(): Promise<ReadEvent | undefined>
  close(): Promise<void>
}

function createEventQueue(source: AsyncIterable<Uint8Array>, options: TarOptions): EventQueue {
  const iterator = source[Symbol.asyncIterator]()
  const events: ReadEvent[] = []
  let taken = 0
  let isDone = false
  const parser = createTarParser(
    {
      onHeader: (header, offset) => events.push({ kind: 'member', header, offset }),
      onContent: bytes => events.push({ kind: 'bytes', bytes }),
      onHole: size => events.push({ kind: 'hole', size }),
      onMemberEnd: () => events.push(memberEnd),
    },
    options,
  )

  /** What the parser throws comes after the members before it. */
  function parse(step: () => void): void {
    try {
      step()
    } catch (error) {
      events.push({ kind: 'failure', error })
    }
  }

  function next(): ReadEvent | undefined {
    const event = events[taken]
    if (event === undefined) return undefined
    if (event.kind === 'failure') throw event.error
    taken++
    return event
  }

  return {
    next,
    async wait() {
      while (taken === events.length && !isDone) {
        events.length = 0
        taken = 0
        const result = await iterator.next()
        if (result.done === true) {
          isDone = true
          parse(() => parser.end())
        } else parse(() => parser.push(result.value))
      }
      return next()
    },
    async close() {
      if (!isDone) await iterator.return?.()
      isDone = true
    },
  }
}
