import { encodeTarHeader, type TarHeader } from '#tar'

/** A header block of an empty file with fields (by offset) set by hand, and a checksum that is right. */
export function headerBlock(
  fields: Readonly<Record<number, string | Uint8Array>>,
  base: Partial<TarHeader> = {},
): Buffer {
  const plain = { path: 'f', type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } }
  const header = encodeTarHeader({ ...plain, ...base } as TarHeader)
  for (const [offset, value] of Object.entries(fields)) header.set(Buffer.from(value as Uint8Array), Number(offset))
  return withChecksum(header)
}

/** Writes the checksum of a header block into it (pax, ustar format). */
export function withChecksum(header: Buffer): Buffer {
  header.fill(0x20, 148, 156)
  const sum = header.subarray(0, 512).reduce((a, b) => a + b, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
