import { inflateRawSync } from 'node:zlib'

/** A file of a zip archive. */
export interface ZipMember {
  readonly path: string
  /** As the archive has it (bytes): no more is unpacked. */
  readonly size: number
  /** Decompressed; undefined for what is encrypted, damaged, compressed otherwise or too large. */
  readonly bytes: Uint8Array | undefined
}

/** What of the archive cannot be read: it is damaged, or uses what is newer. */
const unreadable: ZipMember = { path: '', size: 0, bytes: undefined }

/**
 * The files of a zip archive (PKWARE APPNOTE 6.3): stored and deflated ones, at most `limit` bytes each. Members may not share
 * their bytes: that is how a small archive unpacks to a large one. Behind what cannot be read comes nothing more.
 */
export function* readZip(archive: Buffer, limit: number): Generator<ZipMember> {
  const end = archive.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  if (end === -1 || end + 22 > archive.length) return yield unreadable
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  let read = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== 0x02014b50) return yield unreadable
    const [flags, method] = [archive.readUInt16LE(at + 8), archive.readUInt16LE(at + 10)]
    const [packed, size] = [archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)]
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map(field => archive.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    const local = archive.readUInt32LE(at + 42)
    const path = archive.subarray(at + 46, at + 46 + nameSize).toString('utf8')
    at += 46 + nameSize + extraSize + commentSize
    if (size === 0 || path.endsWith('/')) continue
    if ((flags & 1) !== 0 || size > limit || local + 30 > archive.length) {
      yield { path, size: 0, bytes: undefined }
      continue
    }
    read += packed
    if (read > archive.length) return yield unreadable
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    yield { path, size, bytes: inflated(archive.subarray(start, start + packed), method, size) }
  }
}

function inflated(packed: Buffer, method: number, size: number): Uint8Array | undefined {
  if (method === 0) return packed
  if (method !== 8) return undefined
  try {
    return inflateRawSync(packed, { maxOutputLength: size })
  } catch {
    return undefined
  }
}
