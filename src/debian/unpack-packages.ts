import { conffilesOf, type InstalledPackage } from './dpkg-database.ts'
import { inParallel } from './in-parallel.ts'
import type { ReadPackage } from './read-packages.ts'
import type { PathFilter } from './path-filter.ts'
import { parseRelations } from './relation.ts'
import type { RootDirectory } from './root-directory.ts'
import { matches } from './universe.ts'
import { applyDirectoryAttributes } from './lay-out-root.ts'
import { type UnpackedPackage, type Unpacking, unpackPackage } from './unpack-package.ts'

/** Packages whose data is decompressed at the same time. */
const simultaneous = 4

export interface UnpackOptions {
  readonly root: RootDirectory
  readonly filter: PathFilter
  /** Counts finished packages. */
  readonly onDone: (count: number) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Unpacks packages into a root, several at a time; which files win does not depend on the order in which they arrive.
 * Directories look as `base-files`, else the first package by name wants them.
 */
export async function unpackPackages(
  packages: readonly ReadPackage[],
  { root, filter, onDone, signal }: UnpackOptions,
): Promise<readonly InstalledPackage[]> {
  const unpacking: Unpacking = { root, filter, owners: new Map(), directories: new Map() }
  const ranked = packages.toSorted((a, b) => weight(a) - weight(b) || (a.record.name < b.record.name ? -1 : 1))
  const items = ranked.map((item, rank) => ({ item, unpacked: unpackedPackage(item, rank, ranked) }))
  // The largest first: the end is reached with both processors busy.
  const queue = items.toSorted((a, b) => b.item.record.size - a.item.record.size)
  let done = 0
  await inParallel(
    queue,
    simultaneous,
    async ({ item, unpacked }, either) => {
      await unpackPackage(abortable(item.deb.data(), either), unpacked, unpacking)
      onDone(++done)
    },
    signal,
  )
  applyDirectoryAttributes(root, unpacking.directories)
  return items.map(({ item, unpacked }) => ({ unpacked, control: item.deb.control, fields: item.fields }))
}

async function* abortable(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal.throwIfAborted()
    yield chunk
  }
}

function weight({ record }: ReadPackage): number {
  return record.name === 'base-files' ? 0 : 1
}

function unpackedPackage(
  { record, deb, fields }: ReadPackage,
  rank: number,
  all: readonly ReadPackage[],
): UnpackedPackage {
  const replaced = parseRelations(fields.get('replaces')).flat()
  return {
    name: record.name,
    rank,
    replaces(other) {
      const found = all[other.rank]
      return found !== undefined && replaced.some(relation => matches(found.record, relation))
    },
    hashed: deb.control.has('md5sums') ? new Set(conffilesOf(deb.control)) : 'all',
    paths: new Set(),
    md5: new Map(),
  }
}
