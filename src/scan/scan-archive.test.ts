import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { writeArchive } from '../../test/oracle/tar-archive.ts'
import { packArchive, tarOf, zipOf } from '../../test/planted/pack-archive.ts'
import { type ArchiveScan, scanArchive } from './scan-archive.ts'

const mebibyte = 1 << 20
const setting = Buffer.from(`password = "${'k8'}Wq3zRt7Lm"\n`)
const blank = Buffer.alloc(mebibyte, ' ')

const scan = (archive: Buffer, path: string, limit = 256 * mebibyte): Promise<ArchiveScan> =>
  scanArchive(archive, path, { everything: false, limit })

test.each(['a.tar', 'a.tgz', 'a.zip', 'a.deb', 'a.gem'])('%s: what is in it is found, nothing is noted', async name => {
  const { members, notes } = await scan(packArchive(name, 'srv/app.conf', setting), `opt/${name}`)
  expect(members.map(({ member, hits }) => [member, hits.length])).toEqual([['srv/app.conf', 1]])
  expect(notes).toEqual([])
})

test.each([
  ['a tar', tarOf('inner.zip', zipOf('app.conf', setting)), 'a.tar'],
  ['a zip', zipOf('lib/inner.jar', zipOf('app.conf', setting)), 'a.jar'],
  ['a compressed file', gzipSync(zipOf('app.conf', setting)), 'a.zip.gz'],
])('an archive in %s is noted', async (_, archive, name) => {
  const { notes } = await scan(archive, `opt/${name}`)
  expect(notes).toEqual([`opt/${name} holds an archive that was not unpacked`])
})

test.each([
  ['a file', gzipSync(Buffer.alloc(40 * mebibyte)), 'a.gz'],
  ['a tar', gzipSync(tarOf('a', Buffer.alloc(40 * mebibyte))), 'a.tgz'],
  ['a zip', zipOf('a', Buffer.alloc(30 * mebibyte)), 'a.zip'],
])('%s that unpacks to much is read to the limit', async (_, archive, name) => {
  const { bytes, notes } = await scan(archive, name, 20 * mebibyte)
  expect(bytes).toBeLessThanOrEqual(31 * mebibyte)
  expect(notes).toEqual([`only the first 20 MiB of ${name} were looked at`])
})

test('all parts of a package together are read to the limit', async () => {
  const part = gzipSync(blank)
  const file = { kind: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0 } as const
  const gem = writeArchive(Array.from({ length: 50 }, () => ({ ...file, path: 'data.tar.gz', body: part })))
  const { bytes, notes } = await scan(gem, 'a.gem', 3 * mebibyte)
  expect(bytes).toBeLessThanOrEqual(4 * mebibyte)
  expect(notes).toEqual(['only the first 3 MiB of a.gem (data.tar.gz) were looked at'])
})

/** The central directory names the one file so often. */
function manyTimes(zip: Buffer, count: number): Buffer {
  const start = zip.readUInt32LE(zip.length - 6)
  const entry = zip.subarray(start, zip.length - 22)
  const end = Buffer.from(zip.subarray(-22))
  end.writeUInt16LE(count, 10)
  return Buffer.concat([zip.subarray(0, start), ...Array.from({ length: count }, () => entry), end])
}

const partly = (name: string): string =>
  `not all of ${name} was unpacked: files in it are encrypted, damaged, or larger than 32 MiB`

test('members of a zip may not share their bytes', async () => {
  const { bytes, notes } = await scan(manyTimes(zipOf('a', Buffer.alloc(mebibyte)), 60_000), 'a.zip', 20 * mebibyte)
  expect(bytes).toBeLessThanOrEqual(21 * mebibyte)
  expect(notes).toEqual(['only the first 20 MiB of a.zip were looked at'])
  const { files, notes: told } = await scan(manyTimes(zipOf('a', randomBytes(5000)), 60), 'a.zip')
  expect(files).toBe(1)
  expect(told).toEqual([partly('a.zip')])
})

test('a zip that lies about sizes, is cut, encrypted or has too large a file is noted', async () => {
  const zip = zipOf('app.conf', Buffer.concat([setting, blank]))
  const central = zip.readUInt32LE(zip.length - 6)
  const changed = (change: (zip: Buffer) => void): Buffer => {
    const copy = Buffer.from(zip)
    change(copy)
    return copy
  }
  for (const archive of [
    changed(copy => copy.writeUInt32LE(1000, central + 24)),
    changed(copy => copy.writeUInt32LE(33 * mebibyte, central + 24)),
    changed(copy => copy.writeUInt16LE(1, central + 8)),
    changed(copy => copy.writeUInt16LE(2, copy.length - 12)),
    zip.subarray(0, -30),
  ]) {
    expect((await scan(archive, 'a.zip')).notes).toEqual([partly('a.zip')])
  }
  expect((await scan(zip, 'a.zip')).notes).toEqual([])
})
