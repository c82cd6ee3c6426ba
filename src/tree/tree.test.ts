import { describe, expect, test } from 'vitest'
import { growingTree, lookup, mergeLayers, type MergedTree } from '#tree'
import { madeEntry as entry } from '../../test/made-entry.ts'

const paths = (tree: MergedTree): string[] => [...tree.walk()].map(each => each.path)

describe('mergeLayers', () => {
  test('later entries replace earlier ones, directories keep their children', () => {
    const tree = mergeLayers([
      [entry('a', 'directory'), entry('a/x'), entry('b')],
      [entry('a', 'directory', { mode: 0o700 }), entry('b', 'symlink', { link: 'a' })],
    ])
    expect(paths(tree)).toEqual(['', 'a', 'a/x', 'b'])
    expect(tree.get('a')?.mode).toBe(0o700)
    expect(tree.get('b')?.type).toBe('symlink')
    expect([tree.layerOf('a'), tree.layerOf('a/x')]).toEqual([1, 0])
  })

  test('a tree that grows is, after each layer, what all so far amount to', () => {
    const layers = [
      [entry('a', 'directory'), entry('a/x'), entry('a/y', 'hardlink', { link: 'a/x' })],
      [entry('a/x', 'whiteout'), entry('b/c')],
      [entry('a', 'directory'), entry('a', 'opaque'), entry('a/z')],
    ]
    const { tree, add } = growingTree()
    const told = (of: MergedTree): object[] =>
      [...of.walk()].map(each => ({ ...each, layer: of.layerOf(each.path), inode: of.inodeOf(each.path) }))
    for (const [i, layer] of layers.entries()) {
      add(layer)
      expect(told(tree)).toEqual(told(mergeLayers(layers.slice(0, i + 1))))
    }
  })

  test('a whiteout hides lower layers only, wherever it stands in the archive', () => {
    const lower = [entry('d', 'directory'), entry('d/old')]
    const upper = [entry('d', 'directory'), entry('d/new'), entry('d', 'whiteout')]
    for (const layer of [upper, upper.toReversed()])
      expect(paths(mergeLayers([lower, layer]))).toEqual(['', 'd', 'd/new'])
  })

  test('an opaque directory hides what is below and keeps its own', () => {
    const tree = mergeLayers([
      [entry('d', 'directory'), entry('d/sub', 'directory'), entry('d/sub/old'), entry('d/f')],
      [entry('d', 'directory'), entry('d/sub', 'directory'), entry('d/sub/new'), entry('d', 'opaque')],
    ])
    expect(paths(tree)).toEqual(['', 'd', 'd/sub', 'd/sub/new'])
  })

  test('a file in place of a directory hides its children, and back', () => {
    const lower = [entry('p', 'directory'), entry('p/c')]
    expect(paths(mergeLayers([lower, [entry('p')]]))).toEqual(['', 'p'])
    expect(paths(mergeLayers([lower, [entry('p')], [entry('p', 'directory')]]))).toEqual(['', 'p'])
  })

  test('hard links are names of one inode, and outlive the first name', () => {
    const tree = mergeLayers([
      [entry('a', 'file', { size: 3 }), entry('b', 'hardlink', { link: 'a' }), entry('c')],
      [entry('a', 'whiteout')],
    ])
    expect(tree.get('b')).toMatchObject({ type: 'file', size: 3, path: 'b' })
    expect(tree.get('a')).toBeUndefined()
    expect(tree.inodeOf('b')).not.toBe(tree.inodeOf('c'))
  })

  test('a path that is file and directory in one layer is two inodes', () => {
    const tree = mergeLayers([[entry('a'), entry('b', 'hardlink', { link: 'a' }), entry('a/c'), entry('d')]])
    expect([tree.get('a')?.type, tree.get('b')?.type]).toEqual(['directory', 'file'])
    expect(new Set(['a', 'a/c', 'b', 'd'].map(path => tree.inodeOf(path))).size).toBe(4)
    const twice = mergeLayers([[entry('a'), entry('b', 'hardlink', { link: 'a' }), entry('a', 'file', { size: 1 })]])
    expect(twice.inodeOf('a')).not.toBe(twice.inodeOf('b'))
  })

  test('a directory that no layer describes exists', () => {
    expect(mergeLayers([[entry('x/y/z')]]).get('x/y')).toMatchObject({ type: 'directory', mode: 0o755 })
  })
})

describe('lookup', () => {
  const tree = mergeLayers([
    [
      entry('bin', 'symlink', { link: 'usr/bin' }),
      entry('usr', 'directory'),
      entry('usr/bin', 'directory'),
      entry('usr/bin/sh'),
      entry('abs', 'symlink', { link: '/usr/bin/sh' }),
      entry('up', 'symlink', { link: '../../../usr' }),
      entry('loop', 'symlink', { link: 'loop' }),
      entry('dangling', 'symlink', { link: '/nowhere/x' }),
    ],
  ])
  test.each([
    ['bin/sh', 'usr/bin/sh', 'file'],
    ['/abs', 'usr/bin/sh', 'file'],
    ['up/bin/sh', 'usr/bin/sh', 'file'],
    ['../../bin/../bin/sh', 'usr/bin/sh', 'file'],
    ['dangling/f', 'nowhere/x/f', undefined],
    ['bin/', 'usr/bin', 'directory'],
    ['', '', 'directory'],
  ])('%j is %j', (path, resolved, type) => {
    const found = lookup(tree, path)
    expect([found.path, found.entry?.type]).toEqual([resolved, type])
  })
  test('the last link can be kept', () => {
    expect(lookup(tree, 'bin', { final: 'keep' })).toMatchObject({ path: 'bin', entry: { type: 'symlink' } })
    expect(lookup(tree, 'bin/sh', { final: 'keep' }).path).toBe('usr/bin/sh')
  })
  test('a loop is an error', () => {
    expect(() => lookup(tree, 'loop/x')).toThrow(/symbolic links/)
  })
})
