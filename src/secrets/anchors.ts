/**
 * Looks for many short literals in bytes at once. Every second position is looked at, with its parity in memory: the three bytes there are, of a
 * literal that begins at it or just before it, the first three or the second to fourth, and a table says whether any
 * literal has these. Bit 0x20 does not count, so letters match in either case.
 */
export interface AnchorSearch {
  /** Calls `onHit` with the number of the literal and the offset of its first byte, in the order of the offsets. */
  search(bytes: Uint8Array, onHit: (literal: number, at: number) => void): void
}

const hashBits = 16

/** Of three folded bytes, the first one lowest. */
const hashOf = (three: number): number => Math.imul(three, 0x9e3779b1) >>> (32 - hashBits)

/** Every literal has at least four characters, all of them ASCII; those of `exact` have to stand there as they are. */
export function anchorSearch(literals: readonly string[], exact: ReadonlySet<string>): AnchorSearch {
  if (literals.some(({ length }) => length < 4)) throw new Error('a literal has less than four characters')
  const { known, here, earlier, texts } = tableOf(literals, exact)
  return {
    search: (bytes, onHit) => {
      const tell = ({ first, next }: Chains, { hash, word, at }: Looked): void => {
        for (let each = first[hash] as number; each !== 0; each = next[each] as number) {
          if (texts.starts[each] === word && standsAt(bytes, at, { texts, literal: each })) onHit(each - 1, at)
        }
      }
      const folded = (at: number): number => (bytes[at] as number) | 0x20
      const lookAt = (at: number): void => {
        if (at < 0 || at + 2 >= bytes.length) return
        const three = folded(at) | (folded(at + 1) << 8) | (folded(at + 2) << 16)
        const hash = hashOf(three)
        if (known[hash] === 0) return
        if (at > 0) tell(earlier, { hash, word: (three << 8) | folded(at - 1), at: at - 1 })
        if (at + 3 < bytes.length) tell(here, { hash, word: three | (folded(at + 3) << 24), at })
      }
      // Four bytes at once, from where these lie evenly in memory.
      const lead = -bytes.byteOffset & 3
      lookAt(lead - 2)
      const words = wordsOf(bytes, lead)
      const last = words.length - 1
      let word = (words[0] ?? 0) | 0x20202020
      for (let i = 0; i < last; i++) {
        const next = (words[i + 1] as number) | 0x20202020
        const hash = hashOf(word & 0xff_ff_ff)
        const hash2 = hashOf((word >>> 16) | ((next & 0xff) << 16))
        word = next
        if (((known[hash] as number) | (known[hash2] as number)) === 0) continue
        lookAt(lead + 4 * i)
        lookAt(lead + 4 * i + 2)
      }
      for (let at = lead + 4 * Math.max(0, last); at + 2 < bytes.length; at += 2) lookAt(at)
    },
  }
}

/** The bytes from an even place on as numbers. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array, lead: number): Uint32Array {
  return new Uint32Array(buffer, (byteOffset + lead) & ~3, Math.max(0, length - lead) >> 2)
}

/** Where three bytes with a hash may be part of a literal, and the four (folded) that begin at `at`. */
interface Looked {
  readonly hash: number
  readonly word: number
  readonly at: number
}

/** Literals (counted from 1; 0 ends) by a hash of three of their bytes: the first one, and the next one after each. */
interface Chains {
  readonly first: Uint16Array
  readonly next: Uint16Array
}

/** All literals (counted from 1) one after the other: it has to be there fast, and most builds search some short texts only. */
interface Texts {
  /** The four bytes that each begins with, folded, first one lowest. */
  readonly starts: Int32Array
  /** Where each begins in the following; it ends where the next one begins. */
  readonly offsets: Uint32Array
  /** As they have to stand there, and the bits that do not count. */
  readonly bytes: Uint8Array
  readonly fold: Uint8Array
}

/** By the hash of three bytes: whether there are any (in a table of bytes, which stays near the processor), and which. */
function tableOf(literals: readonly string[], exact: ReadonlySet<string>) {
  const texts = textsOf(literals, exact)
  const known = new Uint8Array(1 << hashBits)
  const chains = (): Chains => ({ first: new Uint16Array(1 << hashBits), next: new Uint16Array(literals.length + 1) })
  const [here, earlier] = [chains(), chains()]
  const add = ({ first, next }: Chains, literal: number, hash: number): void => {
    known[hash] = 1
    next[literal] = first[hash] as number
    first[hash] = literal
  }
  for (let literal = literals.length; literal > 0; literal--) {
    const start = texts.starts[literal] as number
    add(here, literal, hashOf(start & 0xff_ff_ff))
    add(earlier, literal, hashOf(start >>> 8))
  }
  return { known, here, earlier, texts }
}

function textsOf(literals: readonly string[], exact: ReadonlySet<string>): Texts {
  const bytes = Buffer.from(literals.join(''), 'latin1')
  const fold = new Uint8Array(literals.length + 1)
  const starts = new Int32Array(literals.length + 1)
  const offsets = new Uint32Array(literals.length + 2)
  let at = 0
  for (const [i, text] of literals.entries()) {
    offsets[i + 1] = at
    starts[i + 1] = bytes.readInt32LE(at) | 0x20202020
    const end = at + text.length
    if (!exact.has(text)) {
      fold[i + 1] = 0x20
      for (let each = at; each < end; each++) bytes[each] = (bytes[each] as number) | 0x20
    }
    at = end
  }
  offsets[literals.length + 1] = at
  return { starts, offsets, bytes, fold }
}

function standsAt(
  bytes: Uint8Array,
  start: number,
  { texts, literal }: { readonly texts: Texts; readonly literal: number },
): boolean {
  const from = texts.offsets[literal] as number
  const length = (texts.offsets[literal + 1] as number) - from
  if (start + length > bytes.length) return false
  const fold = texts.fold[literal] as number
  for (let i = 0; i < length; i++) {
    if (((bytes[start + i] as number) | fold) !== texts.bytes[from + i]) return false
  }
  return true
}
