import { describe, expect, test } from 'vitest'
import { type CopyItem, type CopyOptions, copyInto, type Entry, makeDirectory, mergeLayers, unpackInto } from '#tree'
import { madeEntry } from '../../test/made-entry.ts'

const time = { seconds: 5, nanoseconds: 0 }
const entry = (path: string, type: Entry['type'] = 'file', more: Partial<Entry> = {}): Entry =>
  madeEntry(path, type, { mtime: time, ...more })
const file = (name: string, more: Partial<Entry> = {}): CopyItem => ({ name, entries: [entry('', 'file', more)] })
const directory = (name: string, below: readonly Entry[], more: Partial<Entry> = {}): CopyItem => ({
  name,
  entries: [entry('', 'directory', more), ...below],
})

const parent = mergeLayers([
  [
    entry('etc', 'directory', { mode: 0o700, uid: 7 }),
    entry('etc/conf'),
    entry('link', 'symlink', { link: 'etc' }),
    entry('dangle', 'symlink', { link: '/nowhere' }),
    entry('tmp', 'directory', { mode: 0o1777 }),
    entry('flink', 'symlink', { link: '/etc/conf' }),
    entry('team', 'directory', { mode: 0o2775, uid: 3, gid: 50 }),
  ],
])

const copy = (items: readonly CopyItem[], path: string, more: Partial<CopyOptions> = {}): string[] =>
  copyInto(parent, items, { destination: { path, directory: path.endsWith('/') }, created: time, ...more }).map(
    each => `${each.path} ${each.type} ${each.mode.toString(8)} ${each.uid}:${each.gid}`,
  )

describe('copyInto', () => {
  test('12.5 missing parents are made 0755 of root', () => {
    expect(copy([file('f')], '/new/sub/f')).toEqual([
      'new directory 755 0:0',
      'new/sub directory 755 0:0',
      'new/sub/f file 644 0:0',
    ])
  })
  test('12.5 --chown and an octal --chmod reach created parents, a symbolic one does not', () => {
    const owner = { uid: 5, gid: 6 }
    expect(copy([file('f')], '/new/f', { owner, mode: { kind: 'octal', mode: 0o600 } })).toEqual([
      'new directory 600 5:6',
      'new/f file 600 5:6',
    ])
    expect(copy([file('f')], '/new/f', { mode: { kind: 'symbolic', text: 'u+x,go=' } })).toEqual([
      'new directory 755 0:0',
      'new/f file 700 0:0',
    ])
  })
  test('12.5 below a set-group-id directory missing parents get its group and the bit, as from mkdir(2); --chown counts more', () => {
    expect(copy([file('f')], '/team/a/b/')).toEqual([
      'team directory 2775 3:50',
      'team/a directory 2755 0:50',
      'team/a/b directory 2755 0:50',
      'team/a/b/f file 644 0:0',
    ])
    expect(copy([file('f')], '/team/a/', { owner: { uid: 5, gid: 6 } })).toEqual([
      'team directory 2775 3:50',
      'team/a directory 2755 5:6',
      'team/a/f file 644 5:6',
    ])
    const made = makeDirectory(parent, '/team/w', { mtime: time }).at(-1)
    expect(made).toMatchObject({ path: 'team/w', mode: 0o2755, uid: 0, gid: 50 })
  })
  test('12.6 a file to a directory goes into it; the directory comes along unchanged', () => {
    for (const path of ['/etc', '/etc/', '/link', '/link/'])
      expect(copy([file('f')], path)).toEqual(['etc directory 700 7:0', 'etc/f file 644 0:0'])
  })
  test('12.8 several files for a destination that is no directory are an error, directories and one file are not', () => {
    for (const path of ['/x', '/etc/conf', '/flink', '/dangle'])
      expect(() => copy([file('a'), file('b')], path)).toThrow(/2 sources cannot become one file/)
    expect(() => copy([file('a'), directory('d', [])], '/x')).toThrow(/cannot become one file/)
    expect(copy([file('a'), file('b')], '/link').slice(1)).toEqual(['etc/a file 644 0:0', 'etc/b file 644 0:0'])
    expect(copy([file('a'), file('b')], '/x/')).toHaveLength(3)
    expect(copy([directory('d', [entry('in')]), file('b')], '/x').map(line => line.split(' ')[0])).toEqual([
      'x',
      'x/b',
      'x/in',
    ])
    expect(copy([file('a')], '/x')).toHaveLength(1)
  })
  test('12.7 a directory is merged, never nested; 12.9 the destination keeps its own attributes', () => {
    const source = directory('src', [entry('sub', 'directory', { mode: 0o750 }), entry('sub/f')], { mode: 0o777 })
    expect(copy([source], '/etc')).toEqual([
      'etc directory 700 7:0',
      'etc/sub directory 750 0:0',
      'etc/sub/f file 644 0:0',
    ])
    expect(copy([source], '/made')).toEqual([
      'made directory 755 0:0',
      'made/sub directory 750 0:0',
      'made/sub/f file 644 0:0',
    ])
  })
  test('12.10 links of the destination are followed, dangling ones are filled', () => {
    expect(copy([file('f')], '/dangle/f')).toEqual(['nowhere directory 755 0:0', 'nowhere/f file 644 0:0'])
    expect(copy([file('f')], '/flink')).toEqual(['etc directory 700 7:0', 'etc/conf file 644 0:0'])
  })
  test('12.9 a directory over a file, and a file over a directory, are errors', () => {
    expect(() => copy([directory('d', [])], '/etc/conf')).toThrow(/not a directory/)
    expect(() => copy([directory('d', [entry('etc')])], '/')).toThrow(/cannot replace the directory "\/etc"/)
    expect(() => copy([file('f')], '/etc/conf/x')).toThrow(/not a directory/)
  })
  test('12.11 a link whose file a later source replaces is a file of its own, though the new one is equal', () => {
    const source = { kind: 'bytes' as const, bytes: Buffer.from('x') }
    const first = directory('d', [
      entry('b', 'file', { size: 1, source }),
      entry('one', 'hardlink', { size: 1, link: 'b', source }),
    ])
    expect(copy([first], '/d/')).toContain('d/one hardlink 644 0:0')
    expect(copy([first, file('b', { size: 1, source })], '/d/')).toContain('d/one file 644 0:0')
  })
  test('12.11 hard links follow their file and point into the destination', () => {
    const layer = copyInto(
      parent,
      [directory('d', [entry('z', 'file', { size: 1 }), entry('a', 'hardlink', { link: 'z', size: 1 })])],
      { destination: { path: '/o', directory: false }, created: time },
    )
    expect(layer.map(each => [each.path, each.type, each.link])).toEqual([
      ['o', 'directory', undefined],
      ['o/z', 'file', undefined],
      ['o/a', 'hardlink', 'o/z'],
    ])
  })
  test('existing directories on the way come with their attributes, so that engines keep them', () => {
    expect(copy([file('f')], '/tmp/f')).toEqual(['tmp directory 1777 0:0', 'tmp/f file 644 0:0'])
  })
})

describe('makeDirectory', () => {
  const made = (path: string): string[] =>
    makeDirectory(parent, path, { owner: { uid: 1, gid: 2 }, mtime: time }).map(
      each => `${each.path} ${each.uid}:${each.gid}`,
    )
  test('9.12 every created parent belongs to the user', () => {
    expect(made('/link/a/b')).toEqual(['etc 7:0', 'etc/a 1:2', 'etc/a/b 1:2'])
  })
  test('9.12 an existing directory makes an empty layer', () => {
    expect(made('/link')).toEqual([])
  })
})

describe('unpackInto', () => {
  const unpack = (members: readonly Entry[], destination = '/etc'): string[] =>
    unpackInto(parent, members, { destination, created: time }).map(each => `${each.path} ${each.type}`)
  test('12.19 the root entry does not change the destination', () => {
    expect(unpack([entry('./', 'directory', { mode: 0o700 }), entry('./x')])).toEqual(['etc directory', 'etc/x file'])
  })
  test('12.19 a file in the place of the destination is an error', () => {
    for (const destination of ['/etc/conf', '/flink', '/etc/conf/sub'])
      expect(() => unpackInto(parent, [entry('x')], { destination, created: time })).toThrow(/conf" exists and is not/)
  })
  test('12.19 nothing escapes: names and links stay below the destination', () => {
    expect(unpack([entry('../../x'), entry('l', 'symlink', { link: '/tmp' }), entry('l/y')])).toEqual([
      'etc directory',
      'etc/l symlink',
      'etc/tmp directory',
      'etc/tmp/y file',
      'etc/x file',
    ])
  })
  test('a hard link to something outside is an error', () => {
    expect(() => unpack([entry('h', 'hardlink', { link: '../tmp/none' })])).toThrow(/hard link/)
  })
})
