/** Number fields of a header block: octal digits, or GNU's base-256 where the first bit is set. */

/** Largest value that `width` bytes hold in octal with a NUL at the end. */
export function octalLimit(width: number): number {
  return 8 ** (width - 1) - 1
}

/** Writes `value` (0..`octalLimit(width)`) as zero-padded octal digits and a NUL. */
export function writeOctal(block: Buffer, offset: number, width: number, value: number): void {
  let rest = value
  let i = offset + width - 2
  for (; rest > 0x3fffffff; i--) {
    block[i] = 48 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
  for (; i >= offset; i--) {
    block[i] = 48 + (rest & 7)
    rest >>>= 3
  }
  block[offset + width - 1] = 0
}

/**
 * Reads a number field. Leading blanks and NULs are skipped, the digits end at a blank, a NUL or the field's end; an
 * empty field is 0. `undefined` when it holds anything else or a value that is not a safe integer.
 */
export function readNumber(block: Buffer, offset: number, width: number): number | undefined {
  const end = offset + width
  if (((block[offset] ?? 0) & 0x80) !== 0) return readBase256(block, offset, end)
  let i = offset
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++
  let value = 0
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 48
    if (digit < 0 || digit > 7) {
      if (block[i] === 0 || block[i] === 0x20) break
      return undefined
    }
    value = value * 8 + digit
  }
  return value
}

/** Two's complement, big endian, the first bit only marks the form (GNU tar manual, "Extensions"). */
function readBase256(block: Buffer, offset: number, end: number): number | undefined {
  const first = block[offset] ?? 0
  const negative = (first & 0x40) !== 0
  let value = negative ? (first | 0x80) - 256 : first & 0x3f
  for (let i = offset + 1; i < end; i++) {
    value = value * 256 + (block[i] ?? 0)
    if (!Number.isSafeInteger(value)) return undefined
  }
  return value
}
