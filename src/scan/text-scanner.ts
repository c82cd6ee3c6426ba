import { isBinary, type Scanned, type SecretHit, scanBytes } from '#secrets'

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
export interface TextSetting extends Omit<Scanned, 'bytes' | 'binary'> {
  /** Bytes of the whole file, where that is known: one that comes in one piece is not copied. */
  readonly size?: number
}

export function textScanner(setting: TextSetting): TextScanner {
  const hits = new Map<number, SecretHit>()
  /** What is looked at together, `size` bytes of it; each byte is copied here once. */
  let room: Buffer = Buffer.alloc(0)
  let size = 0
  /** Of the first byte of `room` in the file, the lines before it, and where its own begins. */
  let offset = 0
  let lines = 0
  let lineStart = 0
  /** Of the file, as its first piece says: a later one may begin with a stretch of text. */
  let binary: boolean | undefined
  const look = (last: boolean): void => {
    const bytes = room.subarray(0, size)
    binary ??= isBinary(bytes)
    for (const hit of scanBytes({ ...setting, bytes, binary })) {
      // What begins in the overlap is found again, whole, with the next piece.
      if (!last && hit.start >= size - overlap) continue
      hits.set(offset + hit.start, {
        ...hit,
        start: offset + hit.start,
        end: offset + hit.end,
        line: lines + hit.line,
        column: hit.column + (hit.line === 1 ? offset - lineStart : 0),
      })
    }
    if (last) return
    const cut = size - overlap
    for (let at = bytes.indexOf(10); at !== -1 && at < cut; at = bytes.indexOf(10, at + 1)) {
      lines++
      lineStart = offset + at + 1
    }
    offset += cut
    room.copyWithin(0, cut, size)
    size = overlap
  }
  return {
    push: chunk => {
      if (chunk.length === setting.size) {
        for (const hit of scanBytes({ ...setting, bytes: chunk })) hits.set(hit.start, hit)
        return
      }
      for (let from = 0; from < chunk.length; ) {
        if (size === pieceSize) look(false)
        if (size === room.length) room = larger(room, setting.size)
        const count = Math.min(chunk.length - from, room.length - size)
        room.set(chunk.subarray(from, from + count), size)
        size += count
        from += count
      }
    },
    finish: () => {
      if (size > 0) look(true)
      return [...hits.values()]
    },
  }
}

/** Room for a file of that size (bytes, if known), or twice as much as before, but never more than a piece. */
function larger(room: Buffer, size = 0): Buffer {
  const wanted = room.length === 0 ? Math.max(size, 64 << 10) : room.length * 2
  const next = Buffer.allocUnsafe(Math.min(pieceSize, wanted))
  room.copy(next)
  return next
}
