import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeName, encodeName, encodeTarHeader, type MemberType, readTar, type TarHeader, writeTar } from '#tar'

const plain: TarHeader = {
  path: 'usr/bin/app',
  type: 'file',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
}

async function readHeaders(headers: readonly TarHeader[]): Promise<TarHeader[]> {
  const members = headers.map(header => ({ header, content: zeros(header.size) }))
  const read: TarHeader[] = []
  for await (const { header } of readTar(toAsync(writeTar(members)))) read.push(header)
  return read
}

async function* toAsync(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
}

function* zeros(size: number): Generator<Uint8Array> {
  const chunk = Buffer.alloc(Math.min(size, 1 << 20))
  for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length))
}

/** Any bytes that can be a path component: no NUL, no slash, not empty. */
const component = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_.-]{1,60}$/) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map(text => nameOf(Buffer.from(text))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 120 }).map(nameOf) },
)
const path = fc.array(component, { minLength: 1, maxLength: 6 }).map(parts => parts.join('/'))
const id = fc.oneof(
  fc.integer({ min: 0, max: 65_535 }),
  fc.integer({ min: 0o7777770, max: 0xffffffff }),
  fc.maxSafeNat(),
)
const mtime = fc.record({
  seconds: fc.oneof(fc.integer(), fc.integer({ min: -99_999_999_999_999, max: 99_999_999_999_999 })),
  nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
})
const xattrs = fc
  .uniqueArray(
    fc.tuple(
      fc.stringMatching(/^(user|security|trusted)\.[a-z0-9_.]{1,20}$/),
      fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes)),
    ),
    { selector: ([name]) => name, minLength: 1, maxLength: 4 },
  )
  .map(pairs => new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1))))
const header: fc.Arbitrary<TarHeader> = fc
  .record({
    path,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: id,
    gid: id,
    mtime,
    type: fc.constantFrom<MemberType>('file', 'directory', 'symlink', 'hardlink', 'fifo', 'char', 'block'),
    size: fc.integer({ min: 0, max: 2000 }),
    link: path,
    device: fc.record({ major: fc.integer({ min: 0, max: 4095 }), minor: fc.integer({ min: 0, max: 1_048_575 }) }),
    xattrs: fc.option(xattrs, { nil: undefined }),
  })
  .map(({ type, size, link, device, xattrs, ...rest }) => ({
    ...rest,
    type,
    size: type === 'file' ? size : 0,
    ...((type === 'symlink' || type === 'hardlink') && { link }),
    ...((type === 'char' || type === 'block') && { device }),
    ...(xattrs !== undefined && { xattrs }),
  }))

function nameOf(bytes: Uint8Array): string {
  return decodeName(bytes.filter(byte => byte !== 0 && byte !== 0x2f)) || 'x'
}

test('what is written is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(header, { maxLength: 5 }), async headers => {
      expect(await readHeaders(headers)).toEqual(headers)
    }),
    { numRuns: 300 },
  )
})

test('names of any bytes survive', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      expect(encodeName(decodeName(bytes))).toEqual(Buffer.from(bytes))
    }),
  )
})

test('whole blocks, the same each time', () => {
  fc.assert(
    fc.property(header, value => {
      const bytes = encodeTarHeader(value)
      expect(bytes.length % 512).toBe(0)
      expect(encodeTarHeader(value)).toEqual(bytes)
    }),
  )
})

describe('one block where it fits', () => {
  test.each<[string, Partial<TarHeader>, number]>([
    ['plain', {}, 512],
    ['100 bytes', { path: 'x'.repeat(100) }, 512],
    ['101 bytes without slash', { path: 'x'.repeat(101) }, 1536],
    ['100 bytes and the slash of a directory', { path: 'x'.repeat(100), type: 'directory' }, 1536],
    ['prefix of 155, name of 100', { path: `${'p'.repeat(155)}/${'n'.repeat(100)}` }, 512],
    ['prefix of 156', { path: `${'p'.repeat(156)}/n` }, 1536],
    ['UTF-8', { path: 'ä' }, 1536],
    ['not UTF-8', { path: decodeName(Buffer.from([0x66, 0xff])) }, 512],
    ['largest short ids', { uid: 0o7777777, gid: 0o7777777 }, 512],
    ['larger ids', { uid: 0o10000000 }, 1536],
    ['largest short size', { size: 8 ** 11 - 1 }, 512],
    ['8 GiB', { size: 8 ** 11 }, 1536],
    ['before 1970', { mtime: { seconds: -1, nanoseconds: 0 } }, 1536],
    ['nanoseconds', { mtime: { seconds: 1, nanoseconds: 1 } }, 1536],
  ])('%s', (_, change, length) => {
    expect(encodeTarHeader({ ...plain, ...change }).length).toBe(length)
  })
})

describe('what no archive holds', () => {
  test.each<[string, Partial<TarHeader>, RegExp]>([
    ['no path', { path: '' }, /its path is ""/],
    ['a NUL', { path: 'a\0b' }, /its path is "a\\u0000b"/],
    ['a slash at the end', { path: 'a/' }, /its path/],
    ['mode with type bits', { mode: 0o100644 }, /"usr\/bin\/app": its mode is 33188/],
    ['a negative id', { uid: -1 }, /its uid is -1/],
    ['not an integer', { gid: 1.5 }, /its gid is 1.5/],
    ['a directory with content', { type: 'directory', size: 1 }, /its size is 1/],
    ['a link without target', { type: 'symlink' }, /its link is missing/],
    ['a file with a target', { link: 'x' }, /its link is "x"/],
    ['a device without number', { type: 'char' }, /its device major is missing/],
    ['a large device', { type: 'block', device: { major: 1, minor: 2 ** 21 } }, /its device minor is 2097152/],
    ['nanoseconds', { mtime: { seconds: 0, nanoseconds: 1e9 } }, /its mtime nanoseconds is 1000000000/],
    ['an attribute with =', { xattrs: new Map([['user.a=b', Buffer.of(1)]]) }, /its extended attribute is "user.a=b"/],
    ['attributes of 2 MiB', { xattrs: new Map([['user.a', Buffer.alloc(1 << 21)]]) }, /take 2097\d+ bytes/],
  ])('%s', (_, change, message) => {
    expect(() => encodeTarHeader({ ...plain, ...change })).toThrow(message)
  })
})

test('content that differs from the size is an error', async () => {
  const write = async (size: number, content: readonly Uint8Array[]) => {
    for await (const _ of writeTar([{ header: { ...plain, size }, content }]));
  }
  await expect(write(3, [Buffer.from('ab')])).rejects.toThrow(/is 2 bytes, its header says 3/)
  await expect(write(1, [Buffer.from('a'), Buffer.from('b')])).rejects.toThrow(/is more/)
  await expect(write(1, [])).rejects.toThrow(/is 0 bytes/)
})
