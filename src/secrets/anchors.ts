/**
 * Looks for many short literals in bytes at once. Every second position is looked at, with its parity in memory: the three bytes there are, of a
 * literal that begins at it or just before it, the first three or the second to fourth, and a table says whether any
 * literal has these. Bit 0x20 does not count, so letters match in either case.
 */
export interface AnchorSearch {
  /** Calls `onHit` with the number of the literal and the offset of its first byte, in the order of the offsets. */
  search(bytes: Uint8Array, onHit: (literal: number, at: number) => void): void
}

/** Literals that three bytes may be part of, by the four bytes (folded, first one lowest) that each begins with. */
interface Candidates {
  /** Of which the three bytes are the second to fourth, and those of which they are the first three. */
  readonly earlier: readonly Candidate[]
  readonly here: readonly Candidate[]
}

interface Candidate {
  readonly literal: number
  /** Its first four bytes, folded. */
  readonly start: number
  readonly folded: Uint8Array
  /** Where case counts. */
  readonly exact: Uint8Array | undefined
}

const hashBits = 16

/** Of three folded bytes, the first one lowest. */
const hashOf = (three: number): number => Math.imul(three, 0x9e3779b1) >>> (32 - hashBits)

/** Every literal has at least four characters, all of them ASCII; those of `exact` have to stand there as they are. */
export function anchorSearch(literals: readonly string[], exact: ReadonlySet<string>): AnchorSearch {
  if (literals.some(({ length }) => length < 4)) throw new Error('a literal has less than four characters')
  const { known, listOf } = candidatesOf(literals, exact)
  return {
    search: (bytes, onHit) => {
      const tell = (candidates: readonly Candidate[], word: number, at: number): void => {
        for (const { literal, start, folded, exact: same } of candidates) {
          if (start !== word || !standsAt(bytes, at, folded, 0x20)) continue
          if (!same || standsAt(bytes, at, same, 0)) onHit(literal, at)
        }
      }
      const folded = (at: number): number => (bytes[at] as number) | 0x20
      const lookAt = (at: number): void => {
        if (at < 0 || at + 2 >= bytes.length) return
        const three = folded(at) | (folded(at + 1) << 8) | (folded(at + 2) << 16)
        const list = listOf(hashOf(three))
        if (!list) return
        if (at > 0 && list.earlier.length > 0) tell(list.earlier, (three << 8) | folded(at - 1), at - 1)
        if (at + 3 < bytes.length && list.here.length > 0) tell(list.here, three | (folded(at + 3) << 24), at)
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

/** By the hash of three bytes: whether there are any (in a table of bytes, which stays near the processor), and which. */
function candidatesOf(literals: readonly string[], exact: ReadonlySet<string>) {
  const known = new Uint8Array(1 << hashBits)
  const places = new Uint16Array(1 << hashBits)
  const lists: { earlier: Candidate[]; here: Candidate[] }[] = []
  const listAt = (hash: number): { earlier: Candidate[]; here: Candidate[] } => {
    const present = known[hash] === 1 ? lists[places[hash] as number] : undefined
    if (present) return present
    const list = { earlier: [], here: [] }
    known[hash] = 1
    places[hash] = lists.push(list) - 1
    return list
  }
  for (const [literal, text] of literals.entries()) {
    const bytes = Buffer.from(text, 'latin1')
    const folded = Buffer.from(bytes.map(byte => byte | 0x20))
    const start = folded.readInt32LE(0)
    const candidate = { literal, start, folded, exact: exact.has(text) ? bytes : undefined }
    listAt(hashOf(start & 0xff_ff_ff)).here.push(candidate)
    listAt(hashOf(start >>> 8)).earlier.push(candidate)
  }
  const listOf = (hash: number): Candidates | undefined =>
    known[hash] === 1 ? lists[places[hash] as number] : undefined
  return { known, listOf }
}

function standsAt(bytes: Uint8Array, start: number, literal: Uint8Array, fold: number): boolean {
  if (start + literal.length > bytes.length) return false
  for (let i = 0; i < literal.length; i++) {
    if (((bytes[start + i] as number) | fold) !== literal[i]) return false
  }
  return true
}
