import type { FileCopy, LayerTrace, TraceNode } from '../trace-layers.ts'
import { apkPackages } from './apk.ts'
import { dpkgPackages } from './dpkg.ts'
import { gemPackages, npmPackages, pythonPackages } from './languages.ts'
import { type FoundPackage, nodeAt, type PackageHints } from './package-finder.ts'

/** A package with what it takes. */
export interface PackageReport extends Pick<FoundPackage, 'manager' | 'name' | 'version' | 'path'> {
  /** Bytes of its files in the final tree. Each file counts for one package: the system's before a language's. */
  readonly bytes: number
  readonly files: number
  /** Whether all of it came with the base image. */
  readonly inBase: boolean
}

export interface Packages {
  /** Largest first. */
  readonly reports: readonly PackageReport[]
  /** Whose file it is, by position in `found`. */
  readonly owners: ReadonlyMap<FileCopy, number>
  readonly found: readonly FoundPackage[]
}

/** The package managers' records in the final tree, and what of the tree belongs to whom. */
export function findPackages({ tree }: Pick<LayerTrace, 'tree'>, hints: PackageHints, baseLayers: number): Packages {
  const sources = { tree, hints }
  const found = [
    ...dpkgPackages(sources),
    ...apkPackages(sources),
    // The deepest first: a package inside another one's node_modules is its own.
    ...npmPackages(sources).sort((a, b) => b.path.length - a.path.length),
    ...pythonPackages(sources),
    ...gemPackages(sources),
  ]
  const owners = new Map<FileCopy, number>()
  const reports = found.flatMap((each, index): PackageReport[] => {
    const own = ownFiles(each, tree, copy => !owners.has(copy))
    for (const copy of own) owners.set(copy, index)
    const { manager, name, version, path } = each
    const isSystem = manager === 'dpkg' || manager === 'apk'
    // Debian's python3-NAME is the same as Python's NAME.
    if (own.size === 0 && !isSystem) return []
    return [
      {
        manager,
        name,
        version,
        path,
        bytes: [...own].reduce((sum, { entry }) => sum + entry.size, 0),
        files: own.size,
        inBase: isInBase(each, tree, { own, baseLayers }),
      },
    ]
  })
  reports.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))
  return { reports, owners, found }
}

function ownFiles(
  { paths, wholeDirectories }: FoundPackage,
  tree: LayerTrace['tree'],
  isFree: (copy: FileCopy) => boolean,
): ReadonlySet<FileCopy> {
  const own = new Set<FileCopy>()
  const take = (node: TraceNode | undefined): void => {
    if (node?.copy && isFree(node.copy)) own.add(node.copy)
    if (wholeDirectories && node?.children) for (const child of node.children.values()) take(child)
  }
  for (const path of paths) take(nodeAt(tree, path))
  return own
}

/** A package without files of its own is as old as its record. */
function isInBase(
  { path }: FoundPackage,
  tree: LayerTrace['tree'],
  { own, baseLayers }: { readonly own: ReadonlySet<FileCopy>; readonly baseLayers: number },
): boolean {
  if (own.size > 0) return [...own].every(({ layer }) => layer < baseLayers)
  return (nodeAt(tree, path)?.layer ?? 0) < baseLayers
}
