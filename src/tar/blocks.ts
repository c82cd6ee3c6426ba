/** Everything in an archive comes in blocks of 512 bytes. */
export const blockSize = 512

/** Most bytes that a PAX header or a long name may have, as in Go's archive/tar. */
export const metaLimit = 1 << 20

const zeros = Buffer.alloc(blockSize)

/** The two zero blocks that end an archive. */
export const endOfArchive: Uint8Array = Buffer.alloc(2 * blockSize)

/** How many zero bytes follow `size` bytes of content. */
export function paddingSize(size: number): number {
  const rest = size % blockSize
  return rest === 0 ? 0 : blockSize - rest
}

/** The zero bytes that follow `size` bytes of content; possibly none. Shared: don't write to it. */
export function tarPadding(size: number): Uint8Array {
  return zeros.subarray(0, paddingSize(size))
}

/** Sum of the bytes of the block at `at`, with the checksum field (148..155) counted as blanks. */
export function checksum(buffer: Buffer, at: number): number {
  let sum = 8 * 0x20
  for (let i = at; i < at + 148; i++) sum += buffer[i] as number
  for (let i = at + 156; i < at + blockSize; i++) sum += buffer[i] as number
  return sum
}

/** As `checksum`, but with signed bytes, as some old writers summed. */
export function signedChecksum(buffer: Buffer, at: number): number {
  let sum = checksum(buffer, at)
  for (let i = 0; i < blockSize; i++) if ((i < 148 || i > 155) && (buffer[at + i] as number) > 127) sum -= 256
  return sum
}
