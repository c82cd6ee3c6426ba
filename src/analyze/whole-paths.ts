import type { FileCopy } from './trace-layers.ts'

/** Files that belong together, named by the topmost directory that holds nothing else. */
export interface PathGroup {
  /** Without leading slash; a directory's ends in a slash. */
  readonly path: string
  readonly files: number
  readonly bytes: number
}

/**
 * Names a set of files shortly: a directory stands for all its files when the set has every one of them that is in
 * `all`. Largest first.
 */
export function wholePaths(chosen: readonly FileCopy[], all: ReadonlyMap<string, number>): readonly PathGroup[] {
  const counts = countBelow(chosen)
  const groups = new Map<string, { files: number; bytes: number }>()
  for (const { entry } of chosen) {
    const path = topWhole(entry.path, counts, all)
    const group = groups.get(path) ?? { files: 0, bytes: 0 }
    group.files++
    group.bytes += entry.size
    groups.set(path, group)
  }
  return [...groups].map(([path, group]) => ({ path, ...group })).sort(bySize)
}

/** The number of files below each directory, the root left out. */
export function countBelow(copies: Iterable<FileCopy>): ReadonlyMap<string, number> {
  const direct = new Map<string, number>()
  // Files of one directory mostly follow each other: they are counted before the directory is looked up.
  let last = ''
  let run = 0
  for (const { entry } of copies) {
    const slash = entry.path.lastIndexOf('/')
    if (slash <= 0) continue
    if (slash === last.length && entry.path.startsWith(last)) {
      run++
      continue
    }
    if (run > 0) direct.set(last, (direct.get(last) ?? 0) + run)
    last = entry.path.slice(0, slash)
    run = 1
  }
  if (run > 0) direct.set(last, (direct.get(last) ?? 0) + run)
  const counts = new Map(direct)
  for (const [path, files] of direct) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash)
      counts.set(directory, (counts.get(directory) ?? 0) + files)
    }
  }
  return counts
}

function topWhole(path: string, counts: ReadonlyMap<string, number>, all: ReadonlyMap<string, number>): string {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const directory = path.slice(0, slash)
    const count = counts.get(directory) ?? 0
    // One file in a directory of its own is better named by itself.
    if (count === all.get(directory) && count > 1) return `${directory}/`
  }
  return path
}

/** Largest first; equal ones by path. */
export function bySize(a: { bytes: number; path: string }, b: { bytes: number; path: string }): number {
  return b.bytes - a.bytes || (a.path < b.path ? -1 : 1)
}
