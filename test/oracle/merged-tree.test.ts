import { expect, test } from 'vitest'
import { mergeLayers } from './merged-tree.ts'
import { type Member, readArchive, writeArchive } from './tar-archive.ts'

const member = (path: string, kind: Member['kind'] = 'file', more: Partial<Member> = {}): Member => ({
  path,
  kind,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 1,
  body: Buffer.from(kind === 'file' ? path : ''),
  ...more,
})
const directory = (path: string): Member => member(path, 'directory')
const layer = (...members: Member[]): Buffer => writeArchive(members)
const lower = layer(directory('d'), member('d/a'), member('d/b'), directory('d/s'), member('d/s/x'), member('f'))

test.each<[string, Buffer, string[]]>([
  ['a whiteout hides a file', layer(directory('d'), member('d/.wh.a')), ['/', '/d', '/d/b', '/d/s', '/d/s/x', '/f']],
  ['a whiteout hides a directory', layer(directory('d'), member('d/.wh.s')), ['/', '/d', '/d/a', '/d/b', '/f']],
  [
    'opaque hides what is below',
    layer(directory('d'), member('d/n'), member('d/.wh..wh..opq')),
    ['/', '/d', '/d/n', '/f'],
  ],
  [
    'a whiteout spares its own layer',
    layer(directory('d'), member('d/a'), member('d/.wh.a')),
    ['/', '/d', '/d/a', '/d/b', '/d/s', '/d/s/x', '/f'],
  ],
  ['a file takes the place of a directory', layer(member('d')), ['/', '/d', '/f']],
  [
    'a directory takes the place of a file',
    layer(directory('f'), member('f/n')),
    ['/', '/d', '/d/a', '/d/b', '/d/s', '/d/s/x', '/f', '/f/n'],
  ],
])('%s', (_, upper, paths) => {
  expect([...mergeLayers([lower, upper]).keys()].sort()).toEqual(paths)
})

test('names of one file share it until one is replaced', () => {
  const links = layer(member('a'), member('b', 'hardlink', { link: 'a' }), member('c', 'hardlink', { link: 'a' }))
  const tree = mergeLayers([links, layer(member('b', 'file', { mode: 0o600 }))])
  expect(tree.get('/a')).toBe(tree.get('/c'))
  expect(tree.get('/b')).not.toBe(tree.get('/a'))
})

test.each([
  ['a member without a parent', layer(member('no/parent')), /no entry for its parent/],
  ['a member below a link', layer(member('l', 'symlink', { link: 'd' }), member('l/x')), /its parent is a symlink/],
  ['a link to nothing', layer(member('l', 'hardlink', { link: 'nothing' })), /which is no file/],
])('%s is refused', (_, upper, message) => {
  expect(() => mergeLayers([lower, upper])).toThrow(message)
})

test('the writer is read as it was written; damage is noticed', () => {
  const members = [
    directory('d'),
    member('d/a', 'file', { mode: 0o4755, uid: 1000, gid: 50, xattrs: { 'user.x': Buffer.from([0, 255, 10]) } }),
    member('d/l', 'symlink', { link: '../f' }),
    member('d/dev', 'char', { device: [1, 3] }),
  ]
  const archive = writeArchive(members)
  expect(readArchive(archive)).toEqual(members)
  archive[0] = 0x7a
  expect(() => readArchive(archive)).toThrow(/checksum/)
})
