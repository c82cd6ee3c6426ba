import { UserError } from '#diagnostics'
import { readSmallContent } from '#layer'
import { lookup } from '#tree'
import type { LayerTrace, TraceNode } from '../trace-layers.ts'

/** A package that somebody installed into the image. */
export interface FoundPackage {
  readonly manager: 'dpkg' | 'apk' | 'npm' | 'python' | 'gem'
  readonly name: string
  /** As its manager writes it; empty where none is told. */
  readonly version: string
  /** Where a package of a language lies, or the record of one of the system; without leading slash. */
  readonly path: string
  /** Its files and directories, without leading slash; what is below a directory belongs to it when `wholeDirectories`. */
  readonly paths: readonly string[]
  readonly wholeDirectories: boolean
}

/** What finders of packages look at. */
export interface PackageSources {
  readonly tree: LayerTrace['tree']
  /** Paths of the final tree that may describe a package, collected in one walk. */
  readonly hints: PackageHints
}

export interface PackageHints {
  /** `package.json` directly in a package below `node_modules`. */
  readonly npm: readonly string[]
  /** Directories `*.dist-info` and `*.egg-info`, and files `*.egg-info`. */
  readonly python: readonly string[]
  /** `specifications/*.gemspec`. */
  readonly gems: readonly string[]
}

/** The files of a package that is described by more than 64 MiB are not looked at. */
const largest = 64 << 20

/** A text of the image; empty where there is none, or where it is far too large for what it should be. */
export function textAt({ tree }: Pick<PackageSources, 'tree'>, path: string): string {
  const entry = nodeAt(tree, path)?.copy?.entry
  if (entry?.source === undefined || entry.size > largest) return ''
  return readSmallContent(entry, largest).toString('utf8')
}

/** The object at a path, links on the way followed: packages list `/bin/sh` where `/bin` is a link. */
export function nodeAt(tree: LayerTrace['tree'], path: string): TraceNode | undefined {
  const node = tree.node(path)
  if (node) return node
  const found = lookupOrNothing(tree, path)
  return found === undefined ? undefined : tree.node(found)
}

/** Links that lead in a circle are no error of who looks. */
function lookupOrNothing(tree: LayerTrace['tree'], path: string): string | undefined {
  try {
    const found = lookup(tree, path, { final: 'keep' })
    return found.entry ? found.path : undefined
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
