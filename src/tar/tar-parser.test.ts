import { describe, expect, test } from 'vitest'
import { createTarParser, endOfArchive, readTar, type TarHeader, tarPadding } from '#tar'
import { headerBlock } from '../../test/header-block.ts'

interface Seen {
  readonly headers: TarHeader[]
  readonly contents: string[]
  holes: number
}

function parse(archive: Uint8Array, chunkSize = archive.length): Seen {
  const seen: Seen = { headers: [], contents: [], holes: 0 }
  let content: Uint8Array[] = []
  const parser = createTarParser({
    onHeader: header => seen.headers.push(header),
    onContent: bytes => content.push(bytes),
    onHole: size => (seen.holes += size),
    onMemberEnd: () => {
      seen.contents.push(Buffer.concat(content).toString('latin1'))
      content = []
    },
  })
  for (let i = 0; i < archive.length; i += chunkSize) parser.push(archive.subarray(i, i + chunkSize))
  parser.end()
  return seen
}

function meta(flag: string, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as Uint8Array)
  return Buffer.concat([headerBlock({ 156: flag }, { size: bytes.length }), bytes, tarPadding(bytes.length)])
}

function record(keyword: string, value: string): string {
  const rest = Buffer.byteLength(keyword + value) + 3
  const length = [rest + 1, rest + 2, rest + 3].find(total => total === rest + String(total).length)
  return `${length} ${keyword}=${value}\n`
}

function pax(records: Readonly<Record<string, string>>, flag = 'x'): Buffer {
  return meta(
    flag,
    Object.entries(records)
      .map(([keyword, value]) => record(keyword, value))
      .join(''),
  )
}

function stored(content: string): Buffer {
  return Buffer.concat([Buffer.from(content), tarPadding(content.length)])
}

function headerOf(...parts: readonly Uint8Array[]): TarHeader | undefined {
  return parse(Buffer.concat([...parts, endOfArchive])).headers[0]
}

describe('numbers', () => {
  test.each<[string, Buffer, Partial<TarHeader>]>([
    ['blanks before and after', headerBlock({ 108: '   17  \0' }), { uid: 0o17 }],
    ['without terminator', headerBlock({ 108: '77777777' }), { uid: 0o77777777 }],
    ['empty', headerBlock({ 108: Buffer.alloc(8) }), { uid: 0 }],
    ['base-256', headerBlock({ 116: Buffer.of(0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff) }), { gid: 0xffffffff }],
    ['negative time', headerBlock({ 136: Buffer.alloc(12, 0xff) }), { mtime: { seconds: -1, nanoseconds: 0 } }],
    ['file type bits in the mode', headerBlock({ 100: '0100644\0' }), { mode: 0o644 }],
  ])('%s', (_, header, want) => {
    expect(headerOf(header)).toMatchObject(want)
  })

  test.each<[string, Buffer, RegExp]>([
    ['not octal', headerBlock({ 108: '0000008\0' }), /member "f" at byte 0: its user id/],
    ['negative id', headerBlock({ 108: Buffer.alloc(8, 0xff) }), /its user id/],
    ['negative size', headerBlock({ 124: Buffer.alloc(12, 0xff) }), /its size/],
    ['size beyond 2^53', headerBlock({ 124: Buffer.of(0x80, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0) }), /its size/],
    ['PAX size', Buffer.concat([pax({ size: '-1' }), headerBlock({})]), /its PAX size/],
    ['PAX id', Buffer.concat([pax({ uid: '99999999999999999999' }), headerBlock({})]), /its PAX user id/],
    ['PAX time', Buffer.concat([pax({ mtime: 'now' }), headerBlock({})]), /its PAX time/],
    ['device', headerBlock({ 156: '3', 329: 'x' }), /its device/],
  ])('refuses: %s', (_, archive, message) => {
    expect(() => parse(archive)).toThrow(message)
  })
})

describe('types', () => {
  test.each<[string, Partial<TarHeader>]>([
    ['0', { type: 'file' }],
    ['\0', { type: 'file' }],
    ['7', { type: 'file' }],
    ['Z', { type: 'file' }],
    ['1', { type: 'hardlink', link: '' }],
    ['5', { type: 'directory', size: 0 }],
    ['6', { type: 'fifo' }],
    ['4', { type: 'block', device: { major: 0, minor: 0 } }],
  ])('flag %j', (flag, want) => {
    expect(headerOf(headerBlock({ 156: flag }))).toMatchObject({ path: 'f', ...want })
  })

  test('an old directory is a file whose name ends in a slash', () => {
    expect(headerOf(headerBlock({ 0: 'dir/', 156: '\0' }))).toMatchObject({ path: 'dir', type: 'directory' })
  })

  test('a size on a directory or link means nothing', () => {
    const archive = [
      headerBlock({ 156: '5', 124: '00000001000\0' }),
      headerBlock({ 0: 'g', 156: '2', 157: 't', 124: '00000000005\0' }),
    ]
    expect(parse(Buffer.concat([...archive, endOfArchive])).headers.map(header => header.size)).toEqual([0, 0])
  })

  test('the volume label is skipped, another volume refused', () => {
    expect(headerOf(headerBlock({ 156: 'V' }), headerBlock({ 0: 'g' }))).toMatchObject({ path: 'g' })
    expect(() => parse(headerBlock({ 156: 'M' }))).toThrow(/another volume/)
  })
})

describe('paths', () => {
  test.each([
    ['./a', './a'],
    ['./', '.'],
    ['a//', 'a'],
    ['/', ''],
    ['/etc/', '/etc'],
    ['../x', '../x'],
  ])('%s', (written, path) => {
    expect(headerOf(headerBlock({ 0: written, 156: '5' }))?.path).toBe(path)
  })

  test.each<[string, readonly Buffer[], RegExp]>([
    ['empty', [headerBlock({ 0: '\0' })], /its name is empty/],
    ['only slashes', [headerBlock({ 0: '//' })], /only slashes/],
    ['a NUL in PAX', [pax({ path: 'a\0b' }), headerBlock({})], /contains a NUL/],
    ['a NUL in a link', [pax({ linkpath: 'a\0b' }), headerBlock({ 156: '2' })], /contains a NUL/],
  ])('refuses: %s', (_, parts, message) => {
    expect(() => parse(Buffer.concat(parts))).toThrow(message)
  })
})

describe('extended headers', () => {
  test('a local record wins over a global one, an empty one unsets it', () => {
    const archive = [
      pax({ uid: '5', mtime: '7.25', comment: 'x' }, 'g'),
      headerBlock({ 0: 'a' }),
      pax({ uid: '6' }),
      headerBlock({ 0: 'b' }),
      pax({ uid: '' }),
      headerBlock({ 0: 'c' }, { uid: 9 }),
      pax({ uid: '' }, 'g'),
      headerBlock({ 0: 'd' }, { uid: 10 }),
      endOfArchive,
    ]
    const { headers } = parse(Buffer.concat(archive))
    expect(headers.map(header => [header.path, header.uid])).toEqual([
      ['a', 5],
      ['b', 6],
      ['c', 9],
      ['d', 10],
    ])
    expect(headers[3]?.mtime).toEqual({ seconds: 7, nanoseconds: 250_000_000 })
  })

  test('GNU long names win over PAX, and end at a NUL', () => {
    const parts = [
      pax({ path: 'short', linkpath: 'k' }),
      meta('L', 'long\0'),
      meta('K', 'target\0xx'),
      headerBlock({ 156: '2' }),
    ]
    expect(headerOf(...parts)).toMatchObject({ path: 'long', link: 'target' })
  })

  test('extended attributes of star and libarchive', () => {
    const records = {
      'LIBARCHIVE.xattr.user.b%20c': 'AAE=',
      'LIBARCHIVE.xattr.user.a': 'AAE=',
      'SCHILY.xattr.user.a': 'x=\ny',
    }
    const { xattrs } = headerOf(pax({ ...records, 'SCHILY.xattr.user.e': '' }), headerBlock({})) ?? {}
    expect([...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('latin1')])).toEqual([
      ['user.a', 'x=\ny'],
      ['user.b c', '\0\x01'],
      ['user.e', ''],
    ])
  })

  test.each(['x', '5 a=b\n', '7 a=b\n', '6 ab=\n9', '4 =\n', '99 a=b\n', '0 a=b\n', ' 6 a=b\n', '-6 a=b\n', '6 a=bc'])(
    'refuses the records %j',
    records => {
      expect(() => parse(Buffer.concat([meta('x', records), headerBlock({})]))).toThrow(/PAX header is malformed/)
    },
  )

  test('are bounded', () => {
    expect(() => parse(headerBlock({ 156: 'x', 124: '77777777777\0' }))).toThrow(
      /extended header of 8589934591 bytes is too large/,
    )
    const many = Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`k${i}`, 'v']))
    expect(() => parse(pax(many, 'g'))).toThrow(/global PAX records/)
  })
})

describe('sparse files', () => {
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`
  const old = (pairs: string, fileSize: number, size: number, extended = '\0') =>
    headerBlock({ 156: 'S', 257: 'ustar  \0', 386: pairs, 482: extended, 483: octal(fileSize), 124: octal(size) })

  test('old GNU, with a block of further extents', () => {
    const pairs = [0, 1, 10, 1, 20, 1, 30, 1].map(octal).join('')
    const further = Buffer.alloc(512)
    further.write([40, 2, 50, 0].map(octal).join(''), 0, 'latin1')
    const archive = Buffer.concat([
      old(pairs, 50, 6, '\x01'),
      further,
      stored('abcdef'),
      headerBlock({ 0: 'next' }),
      endOfArchive,
    ])
    for (const size of [1, 512, 5000]) {
      const { headers, contents, holes } = parse(archive, size)
      expect([headers.map(header => [header.path, header.size]), contents, holes]).toEqual([
        [
          ['f', 50],
          ['next', 0],
        ],
        ['abcdef', ''],
        44,
      ])
    }
  })

  test('holes are zeros for readers', async () => {
    const records = { 'GNU.sparse.map': '100000,1', 'GNU.sparse.size': '200000', 'GNU.sparse.name': 'real' }
    const archive = Buffer.concat([pax(records), headerBlock({}, { size: 1 }), stored('x'), endOfArchive])
    const source = (async function* () {
      yield archive
    })()
    for await (const member of readTar(source)) {
      expect([member.header.path, member.header.size, member.offset]).toEqual(['real', 200_000, undefined])
      const parts: Uint8Array[] = []
      for await (const part of member.content()) parts.push(part)
      const want = Buffer.alloc(200_000)
      want.write('x', 100_000)
      expect(Buffer.concat(parts).equals(want)).toBe(true)
    }
  })

  test.each<[string, readonly Buffer[]]>([
    ['overlapping extents', [old([0, 2, 1, 2].map(octal).join(''), 10, 4)]],
    ['beyond the end', [old([0, 4].map(octal).join(''), 3, 4)]],
    ['more bytes than stored', [old([0, 5].map(octal).join(''), 10, 4)]],
    ['fewer bytes than stored', [old([0, 3].map(octal).join(''), 10, 4)]],
    ['an odd list', [pax({ 'GNU.sparse.map': '1,2,3', 'GNU.sparse.size': '9' }), headerBlock({})]],
    ['no size', [pax({ 'GNU.sparse.map': '0,1' }), headerBlock({})]],
    ['a negative number', [pax({ 'GNU.sparse.map': '-1,1', 'GNU.sparse.size': '9' }), headerBlock({})]],
    ['a map without end', [inline('9', 'x'.repeat(512))]],
    ['a map of millions', [inline('9', '99999999\n')]],
    ['a map larger than the member', [inline('9', '400\n1\n')]],
  ])('refuses: %s', (_, parts) => {
    expect(() => parse(Buffer.concat([...parts, endOfArchive]))).toThrow(/its sparse/)
  })

  function inline(size: string, map: string): Buffer {
    const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': size }
    return Buffer.concat([pax(records), headerBlock({}, { size: map.length }), stored(map), Buffer.alloc(512)])
  }
})

describe('the end', () => {
  const member = Buffer.concat([headerBlock({}, { size: 5 }), stored('hello')])

  test.each<[string, Uint8Array]>([
    ['nothing', Buffer.alloc(0)],
    ['two zero blocks', endOfArchive],
    ['anything after them', Buffer.concat([endOfArchive, Buffer.from('garbage')])],
    ['one zero block', Buffer.concat([member, Buffer.alloc(512)])],
    ['no zero block', member],
    ['no padding', member.subarray(0, 517)],
  ])('may be %s', (_, archive) => {
    parse(archive, 100)
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['in a header', member.subarray(0, 300), /at byte 300: the archive ends early/],
    ['in content', member.subarray(0, 514), /member "f" at byte 0: the archive ends early, after 514 bytes/],
    ['in padding', member.subarray(0, 600), /ends early/],
    ['after an extended header', pax({ path: 'x' }), /ends early/],
    [
      'with zeros after an extended header',
      Buffer.concat([pax({ path: 'x' }), endOfArchive]),
      /after an extended header/,
    ],
    ['with a member after a zero block', Buffer.concat([member, Buffer.alloc(512), member]), /follows a zero block/],
    ['before it began', Buffer.from('PK'.repeat(600)), /this is not a tar archive/],
  ])('may not come %s', (_, archive, message) => {
    expect(() => parse(archive)).toThrow(message)
  })

  test('checksums of signed bytes are accepted, others not', () => {
    const header = headerBlock({ 0: Buffer.from([0xe4, 0xe5]) })
    const signed = header.reduce(
      (sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte > 127 ? byte - 256 : byte),
      0,
    )
    header.write(`${signed.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    expect(headerOf(header)?.path).toHaveLength(2)
    header[0] = 0xe5
    expect(() => parse(Buffer.concat([member, header]))).toThrow(/at byte 1024: the checksum of its header is wrong/)
  })
})

test('content can be skipped unread', () => {
  const archive = Buffer.concat([
    headerBlock({ 0: 'a' }, { size: 700 }),
    stored('x'.repeat(700)),
    headerBlock({ 0: 'b' }, { size: 3 }),
    stored('abc'),
    endOfArchive,
  ])
  const seen: string[] = []
  let ends = 0
  const parser = createTarParser({
    onHeader: (header, offset) => seen.push(`${header.path} at ${offset}`),
    onContent: bytes => seen.push(Buffer.from(bytes).toString()),
    onHole: () => undefined,
    onMemberEnd: () => ends++,
  })
  expect(parser.skippable()).toBe(0)
  parser.push(archive.subarray(0, 512))
  expect(parser.skippable()).toBe(700)
  parser.skip(700)
  expect(parser.skippable()).toBe(324)
  parser.skip(324)
  expect(() => parser.skip(1)).toThrow(/can't skip/)
  parser.push(archive.subarray(1536))
  parser.end()
  expect([seen, ends]).toEqual([['a at 512', 'b at 2048', 'abc'], 2])
})
