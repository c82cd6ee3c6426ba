import { mkdirSync, readdirSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { packLayer, writeDirectory } from '#layer'
import { makeDirectories, makeNode, setXattr } from '#linux'
import { type Chain, chainTree } from '#rootfs'
import type { Store } from '#store'
import { type Entry, joinPath, type MergedTree } from '#tree'

/** The files of an image, and the directory they go to; without one they are the root. */
export interface FileTree {
  readonly chain: Chain
  readonly directory?: string
}

/** The root file systems of chains as one archive, without whiteouts; `sink` takes the bytes. */
export async function exportTar(
  store: Store,
  trees: readonly FileTree[],
  options: { readonly sink: (bytes: Uint8Array) => Promise<void>; readonly signal: AbortSignal },
): Promise<void> {
  const entries: Entry[] = []
  for (const { chain, directory } of trees) {
    const own = mergedEntries(await chainTree(store, chain))
    // One by one: there may be more entries than a call takes arguments.
    for (const entry of own) entries.push(directory === undefined ? entry : below(directory, entry))
  }
  await packLayer(entries, options.sink, { signal: options.signal })
}

function below(directory: string, entry: Entry): Entry {
  return {
    ...entry,
    path: joinPath(directory, entry.path),
    ...(entry.type === 'hardlink' && { link: joinPath(directory, entry.link ?? '') }),
  }
}

/**
 * Writes the root file system below a directory, which is made where it is missing; what is there already is replaced
 * file by file, as Docker's local exporter does. Owners are kept when we are root.
 */
export async function exportDirectory(
  store: Store,
  chain: Chain,
  options: { readonly directory: string; readonly owners: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { directory } = options
  const entries = mergedEntries(await chainTree(store, chain))
  makeDirectories(directory)
  const staging = join(directory, `.slipway-${process.pid}`)
  mkdirSync(staging, { mode: 0o755 })
  try {
    await writeDirectory(entries, staging, {
      whiteouts: { kind: 'skip' },
      owners: options.owners,
      calls: { setXattr, makeNode },
      signal: options.signal,
    })
    await moveInto(staging, directory)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function moveInto(from: string, to: string): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    try {
      await rename(source, target)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOTEMPTY' || code === 'EEXIST') await moveInto(source, target)
      else if (code === 'EISDIR' || code === 'ENOTDIR') {
        throw new UserError(`cannot write "${target}": what is there is not of the same kind`, {
          hint: `remove it, or choose an empty directory instead of ${dirname(target)}`,
          cause: error,
        })
      } else throw error
    }
  }
}

/** All objects, hard links behind their first name. */
function mergedEntries(tree: MergedTree): Entry[] {
  const first = new Map<string, string>()
  const entries: Entry[] = []
  const links: Entry[] = []
  for (const entry of tree.walk()) {
    const inode = entry.type === 'file' ? tree.inodeOf(entry.path) : undefined
    const target = inode === undefined ? undefined : first.get(inode)
    if (target !== undefined) links.push({ ...entry, type: 'hardlink', link: target })
    else {
      if (inode !== undefined) first.set(inode, entry.path)
      entries.push(entry)
    }
  }
  return [...entries, ...links]
}
