/**
 * File names are bytes; a program wants strings. Bytes that are not UTF-8 become the lone surrogates U+DC80..U+DCFF
 * (Python calls it surrogateescape), so every name survives the way there and back.
 */

/** Bytes of a file name → string. Lossless; undone by `encodeName`. */
export function decodeName(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (!text.includes('\ufffd')) return text
  let out = ''
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i)
    if (length === 0) out += String.fromCharCode(0xdc00 + (bytes[i++] ?? 0))
    else {
      out += Buffer.from(bytes.subarray(i, i + length)).toString('utf8')
      i += length
    }
  }
  return out
}

/** String → bytes of a file name. */
export function encodeName(name: string): Buffer {
  if (!/[\udc80-\udcff]/.test(name) || !/(?<![\ud800-\udbff])[\udc80-\udcff]/.test(name))
    return Buffer.from(name, 'utf8')
  const parts: Buffer[] = []
  for (const part of name.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/)) {
    const isByte = part.length === 1 && /[\udc80-\udcff]/.test(part)
    parts.push(isByte ? Buffer.from([part.charCodeAt(0) - 0xdc00]) : Buffer.from(part, 'utf8'))
  }
  return Buffer.concat(parts)
}

/** Length of the well-formed UTF-8 sequence at `i`, or 0 (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const a = bytes[i] ?? 0
  if (a < 0x80) return 1
  const length = a >= 0xc2 && a <= 0xdf ? 2 : (a & 0xf0) === 0xe0 ? 3 : a >= 0xf0 && a <= 0xf4 ? 4 : 0
  if (length === 0 || i + length > bytes.length) return 0
  for (let k = 1; k < length; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0
  const b = bytes[i + 1] ?? 0
  if ((a === 0xe0 && b < 0xa0) || (a === 0xed && b > 0x9f) || (a === 0xf0 && b < 0x90) || (a === 0xf4 && b > 0x8f))
    return 0
  return length
}
