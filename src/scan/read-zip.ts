import { inflateRawSync } from 'node:zlib'

/** A file of a zip archive, decompressed. */
export interface ZipMember {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * The files of a zip archive (PKWARE APPNOTE 6.3): stored and deflated ones, at most `limit` bytes each. What is
 * encrypted, damaged or compressed otherwise is passed over, as is everything when the central directory cannot be read.
 */
export function* readZip(archive: Buffer, limit: number): Generator<ZipMember> {
  const end = archive.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  if (end === -1 || end + 22 > archive.length) return
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let i = 0; i < count && at + 46 <= archive.length; i++) {
    if (archive.readUInt32LE(at) !== 0x02014b50) return
    const [flags, method] = [archive.readUInt16LE(at + 8), archive.readUInt16LE(at + 10)]
    const [packed, plain] = [archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)]
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map(field => archive.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    const local = archive.readUInt32LE(at + 42)
    const path = archive.subarray(at + 46, at + 46 + nameSize).toString('utf8')
    at += 46 + nameSize + extraSize + commentSize
    if ((flags & 1) !== 0 || plain === 0 || plain > limit || local + 30 > archive.length || path.endsWith('/')) continue
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const bytes = inflated(archive.subarray(start, start + packed), method, limit)
    if (bytes) yield { path, bytes }
  }
}

function inflated(packed: Buffer, method: number, limit: number): Uint8Array | undefined {
  if (method === 0) return packed
  if (method !== 8) return undefined
  try {
    return inflateRawSync(packed, { maxOutputLength: limit })
  } catch {
    return undefined
  }
}
