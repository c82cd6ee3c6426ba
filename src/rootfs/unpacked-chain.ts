import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { UserError } from '#diagnostics'
import { writeDirectory } from '#layer'
import type { LayerRecord, Store } from '#store'
import { type Entry, type MergedTree, mergeLayers } from '#tree'
import { type Chain, layerEntries } from './chain-tree.ts'
import { fetchedChain, type FetchOptions } from './fetch-layers.ts'
import { isLeftOut, layerDirectoryOptions } from './layer-directory-options.ts'

/** What unpacking depends on. */
export interface UnpackOptions extends FetchOptions {
  /** We are root only inside a user namespace: overlay reads its marks from `user.` attributes then. */
  readonly rootless: boolean
  /** Told before a layer is unpacked. */
  readonly onUnpack?: (layer: LayerRecord) => void
}

/** The chain with a directory form for every layer; those that lack it are fetched, unpacked and kept. */
export async function unpackedChain(store: Store, given: Chain, options: UnpackOptions): Promise<Chain> {
  const chain = await fetchedChain(store, given, {
    ...options,
    unpacking: async () => {
      const { openUnpacking } = await import('./unpack-thread.ts')
      return openUnpacking(store, options.rootless)
    },
  })
  const out: LayerRecord[] = []
  for (const [i, given] of chain.entries()) {
    const layer = store.layers.get(given.id) ?? given
    out.push(isUnpacked(store, layer) ? layer : await unpack(store, chain.slice(0, i + 1), options))
  }
  return out
}

/** Somebody may have removed a directory by hand: as long as there is the tar, it is made again. */
function isUnpacked(store: Store, layer: LayerRecord): boolean {
  return layer.forms.directory && (!layer.forms.tar || existsSync(store.layers.directory(layer)))
}

async function unpack(store: Store, chain: Chain, options: UnpackOptions): Promise<LayerRecord> {
  const layer = chain.at(-1) as LayerRecord
  options.onUnpack?.(layer)
  const directory = await store.temporary('unpack')
  await mkdir(directory, { mode: 0o755 })
  let below: MergedTree | undefined
  const entries = (await layerEntries(store, chain)).filter(entry => !isLeftOut(entry, options.rootless))
  const needsBelow = lacksParents(entries)
  if (needsBelow)
    below = mergeLayers(await Promise.all(chain.slice(0, -1).map((_, i) => layerEntries(store, chain.slice(0, i + 1)))))
  const writing = writeDirectory(entries, directory, {
    ...layerDirectoryOptions(options.rootless),
    ...(below && { missingDirectory: (path: string): Entry | undefined => directoryOf(below, path) }),
    ...(options.signal && { signal: options.signal }),
  })
  await writing.catch(explainOwner)
  return store.layers.addDirectory(layer.id, directory)
}

/** In a user namespace an id that is not mapped into it cannot own anything. */
function explainOwner(error: unknown): never {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code !== 'EINVAL' || !syscall?.endsWith('chown')) throw error
  throw new UserError('the image has files of users that do not exist in this user namespace', {
    hint: 'give this user subordinate ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME, and install uidmap',
    cause: error,
  })
}

function directoryOf(tree: MergedTree | undefined, path: string): Entry | undefined {
  const entry = tree?.get(path)
  return entry?.type === 'directory' ? entry : undefined
}

/** Whether some entry's directory is not among the entries: its attributes must come from the layers below. */
function lacksParents(entries: readonly Entry[]): boolean {
  const directories = new Set([''])
  for (const entry of entries) {
    const slash = entry.path.lastIndexOf('/')
    if (entry.path !== '' && !directories.has(slash === -1 ? '' : entry.path.slice(0, slash))) return true
    if (entry.type === 'directory') directories.add(entry.path)
  }
  return false
}
