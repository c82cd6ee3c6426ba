import { expect, test } from 'vitest'
import type { ImageDiff } from '#analyze'
import type { Proposal } from './proposal.ts'
import { unexpectedDifferences } from './unexpected-differences.ts'

type Files = ImageDiff['files']

/** A difference of files only. */
const diffOf = (files: Files): ImageDiff => ({ files, config: [] }) as unknown as ImageDiff

const changed = (path: string, ...attributes: Files[number]['attributes']): Files[number] => ({
  path,
  change: 'changed',
  attributes,
})

test.each<[string, Files, readonly string[]]>([
  ['a log with other lines', [changed('var/log/dpkg.log', 'content', 'time')], []],
  ['what ldconfig remembers of inodes', [changed('var/cache/ldconfig/aux-cache', 'content')], []],
  ['a log of another owner', [changed('var/log/dpkg.log', 'content', 'owner')], ['/var/log/dpkg.log: changed']],
  ['a log that became a link', [changed('var/log/dpkg.log', 'type')], ['/var/log/dpkg.log: changed']],
  ['a log that is gone', [{ path: 'var/log/a', change: 'removed', attributes: [] }], ['/var/log/a: removed']],
  ['the cache of the loader itself', [changed('etc/ld.so.cache', 'content')], ['/etc/ld.so.cache: changed']],
  ["apt's own index", [changed('var/cache/apt/pkgcache.bin', 'content')], []],
  ['byte code of the same source', [changed('opt/a/__pycache__/b.cpython-311.pyc', 'content')], []],
  ['the same, optimized', [changed('__pycache__/b.cpython-311.opt-1.pyc', 'content')], []],
  [
    'byte code of another source',
    [changed('opt/a/b.py', 'content'), changed('opt/a/__pycache__/b.cpython-311.pyc', 'content')],
    ['/opt/a/b.py: changed', '/opt/a/__pycache__/b.cpython-311.pyc: changed'],
  ],
  ['byte code alone', [changed('opt/a/b.pyc', 'content')], ['/opt/a/b.pyc: changed']],
  ['another time', [{ path: 'a', change: 'metadata', attributes: [] }], []],
])('%s', (_, files, expected) => {
  expect(unexpectedDifferences(diffOf(files), [])).toEqual(expected)
})

test('what a change is meant to change, with the directory that was only there for it', () => {
  const proposal = { differs: ['var/lib/apt/lists'] } as unknown as Proposal
  const files: Files = [
    { path: 'var/lib/apt', change: 'removed', attributes: [] },
    { path: 'var/lib/apt/lists/a', change: 'removed', attributes: [] },
    { path: 'var/lib/other', change: 'removed', attributes: [] },
  ]
  expect(unexpectedDifferences(diffOf(files), [proposal])).toEqual(['/var/lib/other: removed'])
})
