/**
 * Looks for many short literals in bytes at once (Wu and Manber's method with blocks of two bytes): most bytes are
 * never looked at. Bit 0x20 does not count, so letters match in either case.
 */
export interface AnchorSearch {
  /** Calls `onHit` with the number of the literal and the offset of its first byte, in the order of the offsets. */
  search(bytes: Uint8Array, onHit: (literal: number, at: number) => void): void
}

/** Every literal has at least four characters, all of them ASCII; those of `exact` have to stand there as they are. */
export function anchorSearch(literals: readonly string[], exact: ReadonlySet<string>): AnchorSearch {
  const folded = literals.map(text => Uint8Array.from(Buffer.from(text, 'latin1'), byte => byte | 0x20))
  const shortest = Math.min(...folded.map(({ length }) => length))
  if (shortest < 4) throw new Error('a literal has less than four characters')
  const exactly = literals.map(text => (exact.has(text) ? Uint8Array.from(Buffer.from(text, 'latin1')) : undefined))
  const shifts = new Uint8Array(1 << 16).fill(shortest - 1)
  const buckets = new Map<number, number[]>()
  for (const [literal, bytes] of folded.entries()) {
    for (let j = 0; j + 1 < shortest; j++) {
      const block = blockAt(bytes, j + 1)
      const shift = shortest - 2 - j
      if (shift < (shifts[block] ?? 0)) shifts[block] = shift
      if (shift === 0) buckets.set(block, [...(buckets.get(block) ?? []), literal])
    }
  }
  const lists = Array.from({ length: 1 << 16 }, (_, block) => buckets.get(block))
  return {
    search: (bytes, onHit) => {
      const { length } = bytes
      for (let at = shortest - 1; at < length; ) {
        const block = ((bytes[at - 1] as number) << 8) | (bytes[at] as number) | 0x2020
        const shift = shifts[block] as number
        if (shift > 0) {
          at += shift
          continue
        }
        const start = at - shortest + 1
        for (const literal of lists[block] as number[]) {
          if (!standsAt(bytes, start, { literal: folded[literal] as Uint8Array, fold: 0x20 })) continue
          const same = exactly[literal]
          if (!same || standsAt(bytes, start, { literal: same, fold: 0 })) onHit(literal, start)
        }
        at++
      }
    },
  }
}

function blockAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at - 1] as number) << 8) | (bytes[at] as number) | 0x2020) & 0xffff
}

function standsAt(
  bytes: Uint8Array,
  start: number,
  { literal, fold }: { readonly literal: Uint8Array; readonly fold: number },
): boolean {
  if (start + literal.length > bytes.length) return false
  for (let i = 0; i < literal.length; i++) {
    if (((bytes[start + i] as number) | fold) !== literal[i]) return false
  }
  return true
}
