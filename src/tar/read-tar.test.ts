import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { createTarParser, endOfArchive, readTar, type TarMember, tarPadding } from '#tar'
import { headerBlock, withChecksum } from '../../test/header-block.ts'

function stored(content: string): Buffer {
  return Buffer.concat([Buffer.from(content), tarPadding(content.length)])
}

function countMembers(archive: Buffer, chunkSize: number) {
  const counts = { headers: 0, ends: 0, bytes: 0 }
  const parser = createTarParser({
    onHeader: () => counts.headers++,
    onContent: bytes => (counts.bytes += bytes.length),
    onHole: () => undefined,
    onMemberEnd: () => counts.ends++,
  })
  for (let i = 0; i < archive.length; i += chunkSize) parser.push(archive.subarray(i, i + chunkSize))
  parser.end()
  return counts
}

/** An extended header. */
function meta(flag: string, content: string): Buffer {
  return Buffer.concat([headerBlock({ 156: flag }, { size: content.length }), stored(content)])
}

test('readTar gives the members before the damage, and closes its source', async () => {
  let isClosed = false
  const source = (async function* () {
    try {
      yield Buffer.concat([headerBlock({ 0: 'a' }), headerBlock({ 0: 'b' }), Buffer.alloc(512, 1)])
      yield Buffer.alloc(1)
    } finally {
      isClosed = true
    }
  })()
  const names: string[] = []
  const read = async () => {
    for await (const { header } of readTar(source, { name: 'x.tar' })) names.push(header.path)
  }
  await expect(read()).rejects.toThrow(/^x\.tar at byte 1024: /)
  expect([names, isClosed]).toEqual([['a', 'b'], true])
})

test('readTar refuses to give the content of a member that it has left', async () => {
  const source = async function* () {
    yield Buffer.concat([headerBlock({ 0: 'a' }, { size: 1 }), stored('x'), headerBlock({ 0: 'b' }), endOfArchive])
  }
  const members: TarMember[] = []
  for await (const member of readTar(source())) members.push(member)
  const late = async () => {
    for await (const _ of members[0]?.content() ?? []);
  }
  await expect(late()).rejects.toThrow(/after the next member/)
})

test('damaged archives end in an archive or a UserError, and in bounded memory', () => {
  const seeds = [
    Buffer.concat([
      meta('x', '13 path=long\n25 SCHILY.xattr.user.a=b\n13 mtime=1.5\n'),
      headerBlock({}, { size: 600 }),
      stored('x'.repeat(600)),
      endOfArchive,
    ]),
    Buffer.concat([
      meta('L', 'name\0'),
      meta('K', 'target\0'),
      headerBlock({ 156: '2' }),
      meta('g', '8 uid=1\n'),
      headerBlock({ 156: '3' }),
      endOfArchive,
    ]),
    Buffer.concat([
      headerBlock({
        156: 'S',
        257: 'ustar  \0',
        386: '00000000000\x0000000000004\0',
        483: '00000010000\0',
        124: '00000000004\0',
      }),
      stored('abcd'),
      endOfArchive,
    ]),
    Buffer.concat([
      meta('x', '22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=900\n'),
      headerBlock({}, { size: 514 }),
      Buffer.from('1\n5\n2\n'.padEnd(512, '\0')),
      stored('ab'),
      endOfArchive,
    ]),
  ]
  for (const seed of seeds) expect(countMembers(seed, seed.length).headers).toBeGreaterThan(0)
  const change = fc.record({
    at: fc.nat(),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.stringMatching(/^[0-7xgLKS=, \n]{1,12}$/).map(text => Buffer.from(text)),
    ),
  })
  const input = fc.record({
    seed: fc.constantFrom(...seeds),
    changes: fc.array(change, { minLength: 1, maxLength: 6 }),
    cut: fc.option(fc.nat()),
    chunkSize: fc.constantFrom(64, 512, 1000, 100_000),
    mend: fc.boolean(),
  })
  let accepted = 0
  const run = ({ seed, changes, cut, chunkSize, mend }: typeof input extends fc.Arbitrary<infer T> ? T : never) => {
    const archive = Buffer.from(seed)
    for (const { at, bytes } of changes) archive.set(bytes.subarray(0, 12), at % (archive.length - 12))
    if (mend)
      for (let i = 0; i < archive.length; i += 512)
        if ((archive[i] ?? 0) > 0x1f) withChecksum(archive.subarray(i, i + 512))
    try {
      const counts = countMembers(cut === null ? archive : archive.subarray(0, cut % archive.length), chunkSize)
      expect(counts.ends).toBe(counts.headers)
      expect(counts.bytes).toBeLessThan(archive.length)
      accepted++
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
    }
  }
  fc.assert(fc.property(input, run), { numRuns: 4000 })
  expect(accepted).toBeGreaterThan(100)
})
