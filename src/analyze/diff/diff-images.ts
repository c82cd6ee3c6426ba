import type { Study } from '../analyze-image.ts'
import type { PackageReport } from '../packages/find-packages.ts'
import { type ConfigDifference, diffConfigs, diffHistories, type HistoryDifference } from './diff-configs.ts'
import { diffFiles, type FileDifference } from './diff-files.ts'

/** How a second image differs from a first. Plain data. */
export interface ImageDiff {
  readonly first: DiffedImage
  readonly second: DiffedImage
  /** Nothing of what is listed below differs. */
  readonly equal: boolean
  readonly config: readonly ConfigDifference[]
  readonly history: HistoryDifference
  /** The lowest layers that both have. */
  readonly commonLayers: number
  /** In the order of paths. */
  readonly files: readonly FileDifference[]
  readonly totals: DiffTotals
  readonly packages: readonly PackageDifference[]
  /** Largest difference first; those without one are left out. */
  readonly directories: readonly DirectoryDifference[]
}

export interface DiffedImage {
  readonly name: string
  readonly id: string
  readonly platform: string
  readonly layers: number
  /** Bytes of all layers, and of the final tree. */
  readonly size: number
  readonly visible: number
}

export interface DiffTotals {
  /** Files and other objects; bytes of files that were added and removed, and of both sides of what changed. */
  readonly added: { readonly count: number; readonly bytes: number }
  readonly removed: { readonly count: number; readonly bytes: number }
  readonly changed: { readonly count: number; readonly before: number; readonly after: number }
  readonly metadata: { readonly count: number }
}

export interface PackageDifference {
  readonly manager: string
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Versions, where the package is. */
  readonly before?: string
  readonly after?: string
  /** Bytes in the second without those in the first. */
  readonly bytes: number
}

export interface DirectoryDifference {
  /** Without leading slash; the root is empty. */
  readonly path: string
  readonly before: number
  readonly after: number
  readonly bytes: number
}

export interface DiffOptions {
  /** Modification times count as a difference. */
  readonly times: boolean
}

/** Compares two images: what they are configured to, how they were made, and what is in their final trees. */
export function diffImages(first: Study, second: Study, options: DiffOptions): ImageDiff {
  const [one, two] = [first.image.config, second.image.config]
  const config = diffConfigs(one, two)
  const history = diffHistories(one, two)
  const files = diffFiles(first.trace.root, second.trace.root, options)
  const packages = diffPackages(first.analysis.packages, second.analysis.packages)
  const [ids, others] = [one.rootfs.diff_ids, two.rootfs.diff_ids]
  const differs = ids.findIndex((id, i) => id !== others[i])
  return {
    first: diffedImage(first),
    second: diffedImage(second),
    equal: config.length + files.length + history.first.length + history.second.length === 0,
    config,
    history,
    commonLayers: differs === -1 ? Math.min(ids.length, others.length) : differs,
    files,
    totals: totalsOf(files),
    packages,
    directories: diffDirectories(first, second),
  }
}

function diffedImage({ analysis: { image, totals, layers } }: Study): DiffedImage {
  const { name, id, platform } = image
  return { name, id, platform, layers: layers.length, size: totals.size, visible: totals.visible }
}

function totalsOf(files: readonly FileDifference[]): DiffTotals {
  const of = (change: FileDifference['change']): readonly FileDifference[] =>
    files.filter(each => each.change === change)
  const sum = (list: readonly FileDifference[], side: 'before' | 'after'): number =>
    list.reduce((all, each) => all + (each[side]?.size ?? 0), 0)
  const [added, removed, changed] = [of('added'), of('removed'), of('changed')]
  return {
    added: { count: added.length, bytes: sum(added, 'after') },
    removed: { count: removed.length, bytes: sum(removed, 'before') },
    changed: { count: changed.length, before: sum(changed, 'before'), after: sum(changed, 'after') },
    metadata: { count: of('metadata').length },
  }
}

/** A package of npm is told by where it lies: a tree may hold several versions of one. */
function diffPackages(first: readonly PackageReport[], second: readonly PackageReport[]): readonly PackageDifference[] {
  const keyOf = ({ manager, name, path }: PackageReport): string =>
    manager === 'npm' ? `${manager} ${path}` : `${manager} ${name}`
  const [one, two] = [first, second].map(list => new Map(list.map(each => [keyOf(each), each])))
  const keys = [...new Set([...(one?.keys() ?? []), ...(two?.keys() ?? [])])].sort()
  return keys.flatMap((key): PackageDifference[] => {
    const [before, after] = [one?.get(key), two?.get(key)]
    const { manager, name } = (after ?? before) as PackageReport
    if (before && after && before.version === after.version) return []
    return [
      {
        manager,
        name,
        change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
        ...(before && { before: before.version }),
        ...(after && { after: after.version }),
        bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0),
      },
    ]
  })
}

function diffDirectories(first: Study, second: Study): readonly DirectoryDifference[] {
  const sizes = new Map<string, { before: number; after: number }>()
  for (const { path, bytes } of first.survey.directories) sizes.set(path, { before: bytes, after: 0 })
  for (const { path, bytes } of second.survey.directories) {
    const known = sizes.get(path)
    if (known) known.after = bytes
    else sizes.set(path, { before: 0, after: bytes })
  }
  return [...sizes]
    .map(([path, { before, after }]) => ({ path, before, after, bytes: after - before }))
    .filter(({ bytes }) => bytes !== 0)
    .sort((a, b) => Math.abs(b.bytes) - Math.abs(a.bytes) || (a.path < b.path ? -1 : 1))
}
