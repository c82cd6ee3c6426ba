import type { ImageDiff } from '#analyze'
import type { Proposal } from './proposal.ts'

/** What package managers write with the moment or with inode numbers in it, so that no two runs of the same command agree. */
const volatile = /^var\/(?:log\/|cache\/(?:ldconfig\/aux-cache|apt\/(?:src)?pkgcache\.bin)$)/

/** Byte code of Python (PEP 3147): it holds the time of its source (PEP 552). */
const byteCode = /^((?:.*\/)?)__pycache__\/([^/.]+)\.[^/]+\.pyc$/

/** What two images disagree about beyond what the changes are meant to change: one line each. */
export function unexpectedDifferences(diff: ImageDiff, proposals: readonly Proposal[]): readonly string[] {
  const meant = proposals.flatMap(({ differs }) => differs)
  const others = new Set(diff.files.filter(({ change }) => change !== 'metadata').map(({ path }) => path))
  const files = diff.files
    .filter(
      ({ path, change, attributes }) =>
        !isMeant(path, meant) &&
        !(
          change === 'changed' &&
          attributes.every(each => each === 'content' || each === 'time') &&
          (volatile.test(path) || isOfSameSource(path, others))
        ) &&
        // A directory that was only there for what is gone.
        !(change === 'removed' && meant.some(each => each.startsWith(`${path}/`))) &&
        !(change === 'metadata' && attributes.length === 0),
    )
    .map(
      ({ path, change, attributes }) =>
        `/${path}: ${change === 'metadata' ? `other ${attributes.join(', ')}` : change}`,
    )
  return [...files, ...diff.config.map(({ field }) => `configuration: ${field}`)]
}

/** Whether a path is byte code whose source is not among the others that differ. */
function isOfSameSource(path: string, others: ReadonlySet<string>): boolean {
  const [, directory, name] = byteCode.exec(path) ?? []
  return name !== undefined && !others.has(`${directory}${name}.py`)
}

/** Whether a path is one of those that a change is meant to change, as `Proposal.differs` writes them. */
export function isMeant(path: string, meant: readonly string[]): boolean {
  return meant.some(each =>
    each.startsWith('/') ? `/${path}/`.includes(each) : path === each || path.startsWith(`${each}/`),
  )
}
