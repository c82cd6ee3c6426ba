import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { analyzeImage, type ReadableImage } from '#analyze'
import { type Digest, digestOf } from '#oci'
import { type Entry, type LayerTree, mergeLayers } from '#tree'

/** Images with known truth. Numbers in the expectations are worked out by hand from the layers above them. */

type Made = Partial<Entry> & { readonly path: string }

const file = (path: string, size: number, rest: Partial<Entry> & { fill?: string } = {}): Entry => {
  const { fill = path, ...more } = rest
  const content = digestOf(fill.repeat(Math.ceil(size / fill.length)).slice(0, size))
  return entry({ path, type: 'file', mode: 0o644, size, content, ...more })
}
const directory = (path: string): Entry => entry({ path, type: 'directory', mode: 0o755 })
const gone = (path: string): Entry => entry({ path, type: 'whiteout' })
const opaque = (path: string): Entry => entry({ path, type: 'opaque' })
const link = (path: string, to: string): Entry => entry({ path, type: 'hardlink', link: to })

function entry(made: Made): Entry {
  return { type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 }, ...made }
}

function image(layers: readonly LayerTree[], baseLayers = 0): ReadableImage {
  return {
    name: 'synthetic',
    id: digestOf('synthetic'),
    config: {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((_, i) => digestOf(String(i))) },
      history: layers.map((_, i) => ({ created_by: `RUN /bin/sh -c step-${i} # buildkit` })),
    },
    layers: layers.map((entries, i) => ({ diffId: digestOf(String(i)) as Digest, entries: async () => entries })),
    base: { source: baseLayers === 0 ? 'none' : 'given', layers: baseLayers },
  }
}

/** Layers, and what is true of them, in bytes. */
interface Truth {
  readonly layers: readonly LayerTree[]
  /** For each layer, what is not 0 of it: `added 150, hidden 100`. */
  readonly figures: readonly string[]
  readonly size: number
  readonly visible: number
  readonly waste: number
}

async function numbers(layers: readonly LayerTree[], baseLayers = 0) {
  const { layers: rows, totals } = await analyzeImage(image(layers, baseLayers))
  const { size, visible, waste, wasteInBase: base } = totals
  return { rows, size, visible, waste, base }
}

const columns = ['added', 'changed', 'reowned', 'removed', 'hidden'] as const

function figuresOf(row: Readonly<Record<(typeof columns)[number], number>>): string {
  return columns.flatMap(column => (row[column] === 0 ? [] : `${column} ${row[column]}`)).join(', ')
}

const cases: Readonly<Record<string, Truth>> = {
  overwrite: {
    layers: [[file('a', 100), file('b', 50)], [file('a', 30, { fill: 'other' })]],
    figures: ['added 150, hidden 100', 'changed 30'],
    size: 180,
    visible: 80,
    waste: 100,
  },
  delete: {
    layers: [[file('a', 100), file('b', 50)], [gone('a')]],
    figures: ['added 150, hidden 100', 'removed 100'],
    size: 150,
    visible: 50,
    waste: 100,
  },
  'delete a directory': {
    layers: [[directory('d'), file('d/x', 10), file('d/y', 20), file('z', 5)], [gone('d')]],
    figures: ['added 35, hidden 30', 'removed 30'],
    size: 35,
    visible: 5,
    waste: 30,
  },
  'change the owner': {
    layers: [[file('a', 100)], [file('a', 100, { uid: 1000 })]],
    figures: ['added 100, hidden 100', 'reowned 100'],
    size: 200,
    visible: 100,
    waste: 100,
  },
  'change owner, then mode': {
    layers: [[file('a', 100)], [file('a', 100, { uid: 1000 })], [file('a', 100, { uid: 1000, mode: 0o600 })]],
    figures: ['added 100, hidden 100', 'reowned 100, hidden 100', 'reowned 100'],
    size: 300,
    visible: 100,
    waste: 200,
  },
  'one of two hard links removed': {
    layers: [[file('a', 100), link('b', 'a')], [gone('a')]],
    figures: ['added 100', ''],
    size: 100,
    visible: 100,
    waste: 0,
  },
  'both hard links removed': {
    layers: [[file('a', 100), link('b', 'a')], [gone('a')], [gone('b')]],
    figures: ['added 100, hidden 100', '', 'removed 100'],
    size: 100,
    visible: 0,
    waste: 100,
  },
  'hard links re-owned together': {
    layers: [
      [file('a', 100), link('b', 'a')],
      [file('a', 100, { uid: 1 }), link('b', 'a')],
    ],
    figures: ['added 100, hidden 100', 'reowned 100'],
    size: 200,
    visible: 100,
    waste: 100,
  },
  'one hard link re-owned': {
    layers: [[file('a', 100), link('b', 'a')], [file('a', 100, { uid: 1 })]],
    figures: ['added 100', 'reowned 100'],
    size: 200,
    visible: 200,
    waste: 0,
  },
  'opaque directory': {
    layers: [
      [directory('d'), file('d/x', 10), file('d/y', 20), file('z', 5)],
      [directory('d'), opaque('d'), file('d/new', 7)],
    ],
    figures: ['added 35, hidden 30', 'added 7, removed 30'],
    size: 42,
    visible: 12,
    waste: 30,
  },
  'opaque directory that brings a file back': {
    layers: [
      [directory('d'), file('d/x', 10), file('d/y', 20)],
      [directory('d'), opaque('d'), file('d/x', 10), file('d/y', 3, { fill: 'other' })],
    ],
    figures: ['added 30, hidden 30', 'changed 3, reowned 10'],
    size: 43,
    visible: 13,
    waste: 30,
  },
  'equal content under two names': {
    layers: [[file('a', 100, { fill: 'same' }), file('b', 100, { fill: 'same' })]],
    figures: ['added 200'],
    size: 200,
    visible: 200,
    waste: 0,
  },
  'whiteout, then re-create': {
    layers: [[file('a', 100)], [gone('a')], [file('a', 100)]],
    figures: ['added 100, hidden 100', 'removed 100', 'added 100'],
    size: 200,
    visible: 100,
    waste: 100,
  },
  'whiteout and re-create in one layer': {
    layers: [[file('a', 100)], [gone('a'), file('a', 100, { mode: 0o600 })]],
    figures: ['added 100, hidden 100', 'reowned 100'],
    size: 200,
    visible: 100,
    waste: 100,
  },
  'a file becomes a directory': {
    layers: [[file('a', 100)], [directory('a'), file('a/b', 5)]],
    figures: ['added 100, hidden 100', 'added 5, removed 100'],
    size: 105,
    visible: 5,
    waste: 100,
  },
  'a directory becomes a link': {
    layers: [[directory('d'), file('d/x', 10)], [entry({ path: 'd', type: 'symlink', link: 'e' })]],
    figures: ['added 10, hidden 10', 'removed 10'],
    size: 10,
    visible: 0,
    waste: 10,
  },
}

test.each(Object.entries(cases))('%s', async (_name, { layers, ...truth }) => {
  const { rows, size, visible, waste } = await numbers(layers)
  expect({ figures: rows.map(figuresOf), size, visible, waste }).toEqual(truth)
})

test('the base image is counted apart', async () => {
  // The base replaces its own a (100), we remove its b (50), own c (20) is replaced by ours.
  const layers = [
    [file('a', 100), file('b', 50)],
    [file('a', 60, { fill: 'other' })],
    [gone('b'), file('c', 20)],
    [file('c', 10, { fill: 'other' })],
  ]
  const { waste, base, size, visible } = await numbers(layers, 2)
  expect({ waste, base, size, visible }).toEqual({
    waste: 20,
    base: { byBase: 100, byOwn: 50 },
    size: 240,
    visible: 70,
  })
})

test('duplicates are equal contents that are no hard links', async () => {
  const [layer = []] = cases['equal content under two names']?.layers ?? []
  const { duplicates, totals } = await analyzeImage(
    image([[...layer, link('c', 'a')], [file('d', 100, { fill: 'same' })]]),
  )
  expect(duplicates).toMatchObject([{ size: 100, extra: 200, paths: ['a', 'b', 'd'] }])
  expect(totals.duplicates).toBe(200)
})

describe('dive counts otherwise', () => {
  /**
   * dive's definition (its README: "the same file in several layers, or a file that is moved or removed later"), as its
   * source computes it: only leaves of each layer's own tree count, a whiteout counts with the size of the directory that
   * it removes and with nothing for a file; wasted are all occurrences of a path that occurs twice or more, together; the
   * efficiency is the sum of each path's smallest occurrence over the sum of all occurrences.
   */
  function dive(layers: readonly LayerTree[]): { wasted: number; efficiency: number } {
    const paths = new Map<string, number[]>()
    layers.forEach((layer, i) => {
      for (const { path, type, size } of layer) {
        const isLeaf = !layer.some(other => other.path.startsWith(`${path}/`))
        // A name like any other to dive: .wh..wh..opq.
        const name = type === 'opaque' ? `${path}/.wh..wh..opq` : path
        if (!isLeaf && type !== 'opaque') continue
        const at = type === 'whiteout' ? removedBy(path, layers.slice(0, i)) : size
        paths.set(name, [...(paths.get(name) ?? []), at])
      }
    })
    let [wasted, smallest, all] = [0, 0, 0]
    for (const found of paths.values()) {
      const sum = found.reduce((total, size) => total + size, 0)
      all += sum
      smallest += Math.min(...found)
      if (found.length > 1) wasted += sum
    }
    return { wasted, efficiency: all === 0 ? 1 : smallest / all }
  }

  function removedBy(path: string, below: readonly LayerTree[]): number {
    const merged = mergeLayers(below)
    if (merged.get(path)?.type !== 'directory') return 0
    return [...merged.walk(path)].reduce((sum, each) => sum + each.size, 0)
  }

  // docs/analyze.md explains each row.
  test.each<[name: string, dives: number, ours: number, efficiency: number]>([
    // It counts the copy that stays as wasted, too: 100 + 30. Smallest: a 30, b 50.
    ['overwrite', 130, 100, 80 / 180],
    ['change the owner', 200, 100, 100 / 200],
    ['change owner, then mode', 300, 200, 100 / 300],
    ['delete', 100, 100, 50 / 150],
    // The path d is a leaf only where it is removed, so no path occurs twice.
    ['delete a directory', 0, 30, 1],
    // It sees two entries of which one is removed; the bytes live on under the other name.
    ['one of two hard links removed', 100, 0, 0],
    // Marks of opaque directories are not taken for removals.
    ['opaque directory', 0, 30, 1],
    // d/x twice 10, d/y 20 and 3; smallest: 10 + 3.
    ['opaque directory that brings a file back', 43, 30, 13 / 43],
    // Three entries for a: 100, 0, 100.
    ['whiteout, then re-create', 200, 100, 0],
    ['equal content under two names', 0, 0, 1],
  ])('%s', async (name, dives, ours, efficiency) => {
    const { layers } = cases[name] as Truth
    expect((await numbers(layers)).waste).toBe(ours)
    expect(dive(layers)).toEqual({ wasted: dives, efficiency })
  })
})

describe('any layers', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
  const anyEntry = fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .record({ path, size: fc.nat(3), uid: fc.nat(1) })
        .map(({ path: at, size, uid }) => file(at, size, { uid })),
    },
    { weight: 2, arbitrary: path.map(gone) },
    { weight: 2, arbitrary: path.map(directory) },
    { weight: 1, arbitrary: path.map(opaque) },
    { weight: 2, arbitrary: fc.tuple(path, path).map(([at, to]) => link(at, to)) },
  )
  const layer = fc.uniqueArray(anyEntry, {
    maxLength: 6,
    selector: each => `${each.path}${each.type === 'opaque' ? '/' : ''}`,
  })

  test('what layers hold is what is seen and what is hidden; the tree is that of the merge', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { maxLength: 5 }), async layers => {
        const { rows, size, visible, waste } = await numbers(layers)
        expect(size).toBe(visible + waste)
        expect(rows.reduce((sum, { added, changed, reowned }) => sum + added + changed + reowned, 0)).toBe(size)
        const merged = mergeLayers(layers)
        const inodes = new Map<string, number>()
        for (const each of merged.walk())
          if (each.type === 'file') inodes.set(merged.inodeOf(each.path) ?? '', each.size)
        expect(visible).toBe([...inodes.values()].reduce((sum, each) => sum + each, 0))
      }),
      { numRuns: 500 },
    )
  })
})
