import { type Scanned, type SecretHit, scanBytes } from '#secrets'

/** Looks at a file that comes in pieces, with bounded memory. */
export interface TextScanner {
  push(chunk: Uint8Array): void
  finish(): readonly SecretHit[]
}

/** Bytes that are looked at together. */
const pieceSize = 4 << 20

/** The longest secret with what surrounds it: so much is looked at twice (bytes). */
const overlap = 32 << 10

/** Where a file is, and how it is looked at. */
export interface TextSetting extends Omit<Scanned, 'bytes'> {
  /** Bytes of the whole file, where that is known: one that comes in one piece is not copied. */
  readonly size?: number
}

export function textScanner(setting: TextSetting): TextScanner {
  const hits = new Map<number, SecretHit>()
  let parts: Uint8Array[] = []
  let size = 0
  /** Of the first byte of `parts` in the file, and the lines before it. */
  let offset = 0
  let lines = 0
  const look = (last: boolean): void => {
    const [only] = parts
    const bytes = parts.length === 1 && only ? only : Buffer.concat(parts)
    for (const hit of scanBytes({ ...setting, bytes })) {
      // What begins in the overlap is found again, whole, with the next piece.
      if (!last && hit.start >= bytes.length - overlap) continue
      hits.set(offset + hit.start, {
        ...hit,
        start: offset + hit.start,
        end: offset + hit.end,
        line: lines + hit.line,
      })
    }
    if (last) return
    const cut = bytes.length - overlap
    for (let at = bytes.indexOf(10); at !== -1 && at < cut; at = bytes.indexOf(10, at + 1)) lines++
    offset += cut
    parts = [Buffer.from(bytes.subarray(cut))]
    size = overlap
  }
  return {
    push: chunk => {
      if (chunk.length === setting.size) {
        for (const hit of scanBytes({ ...setting, bytes: chunk })) hits.set(hit.start, hit)
        return
      }
      parts.push(Buffer.from(chunk))
      size += chunk.length
      if (size >= pieceSize) look(false)
    },
    finish: () => {
      if (size > 0) look(true)
      return [...hits.values()]
    },
  }
}
