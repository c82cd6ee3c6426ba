/** How bytes are compressed. */
export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** Bytes that `sniffCompression` wants to see, where there are as many. */
export const sniffSize = 10

/** Tells by the first bytes: the formats' magic numbers (a name or media type may lie). */
export function sniffCompression(start: Uint8Array): Compression {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => start[i] === byte)
  if (begins(0x1f, 0x8b, 0x08)) return 'gzip'
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz'
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (
    start[0] !== undefined &&
    (start[0] & 0xf0) === 0x50 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18
  ) {
    return 'zstd' // a skippable frame comes first
  }
  return isBzip2(start) ? 'bzip2' : 'none'
}

/** What follows bzip2's magic number: a block, or the end of an empty stream. */
const bzip2Marks = ['1AY&SY', '\x17rE8P\x90']

/** "BZh9" could begin a tar archive too, as a file's name, so that the first block's mark has to be there. */
function isBzip2(start: Uint8Array): boolean {
  const text = Buffer.from(start.subarray(0, sniffSize)).toString('latin1')
  return /^BZh[1-9]/.test(text) && bzip2Marks.includes(text.slice(4))
}
