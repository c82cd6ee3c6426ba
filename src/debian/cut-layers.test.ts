import { describe, expect, test } from 'vitest'
import { type Entry, mergeLayers } from '#tree'
import { cutLayers } from './cut-layers.ts'

const entry = (path: string, more: Partial<Entry> = {}): Entry => ({
  path,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 1, nanoseconds: 0 },
  ...more,
})
const directory = (path: string, mode = 0o755): Entry => entry(path, { type: 'directory', mode })

const entries = [
  directory('etc'),
  entry('etc/passwd', { size: 10 }),
  directory('usr', 0o711),
  directory('usr/a'),
  entry('usr/a/big', { size: 50_000_000 }),
  directory('usr/b'),
  entry('usr/b/one', { size: 1000 }),
  entry('usr/b/two', { size: 1100 }),
  entry('usr/c', { size: 900 }),
  entry('usr/again', { type: 'hardlink', link: 'usr/a/big' }),
]
const owners: Readonly<Record<string, string>> = {
  'usr/a': 'big',
  'usr/a/big': 'big',
  'usr/b/one': 'one',
  'usr/b/two': 'two',
  'usr/c': 'three',
}
const source = new Map([
  ['big', 'big'],
  ['one', 'pair'],
  ['two', 'pair'],
  ['three', 'three'],
])
const cut = (layers: number): ReturnType<typeof cutLayers> =>
  cutLayers(entries, { layers, owner: path => owners[path], source })

describe('a base is cut into layers', () => {
  test('one', () => {
    expect(cut(1)).toEqual([{ entries, packages: ['big', 'one', 'three', 'two'] }])
  })

  test('what is large alone, small sources together, settings on top', () => {
    expect(cut(3).map(layer => layer.packages)).toEqual([['big'], ['one', 'three', 'two'], []])
  })

  test('packages of one source stay together, and no more layers are made than there are sources', () => {
    expect(cut(50).map(layer => layer.packages)).toEqual([['big'], ['one', 'two'], ['three'], []])
  })

  test('every layer has the directories above its files, with their modes; hard links stand with their file', () => {
    for (const { entries: part } of cut(50)) {
      for (const { path } of part) {
        const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
        if (parent !== '') expect(part.find(other => other.path === parent)?.type).toBe('directory')
      }
      expect(part.find(({ path }) => path === 'usr')?.mode ?? 0o711).toBe(0o711)
    }
    expect(cut(50)[0]?.entries.map(({ path }) => path)).toEqual(['usr', 'usr/a', 'usr/a/big', 'usr/again'])
  })

  test('together they are what was cut', () => {
    const paths = (layers: readonly (readonly Entry[])[]): string[] => [...mergeLayers(layers).walk()].map(e => e.path)
    expect(paths(cut(4).map(layer => layer.entries))).toEqual(paths([entries]))
  })
})
