import { lstatSync } from 'node:fs'
import { decodeEntries, diskPath, encodeEntries, readContent, scanDirectory } from '#layer'
import { getXattrs } from '#linux'
import type { LayerRecord, Store } from '#store'
import { type Entry, type GrowingTree, growingTree, type LayerTree, type MergedTree, type Tree } from '#tree'
import { directoryChain } from './directory-chain.ts'
import { fetchedChain, fetchedLayer, type FetchOptions } from './fetch-layers.ts'

/** Layers, base first. */
export type Chain = readonly LayerRecord[]

/** What a chain amounts to. Layers that are somewhere else are fetched. */
export async function chainTree(store: Store, chain: Chain, options: FetchOptions = {}): Promise<MergedTree> {
  return await growingChain(store).at(chain, options)
}

/** The tree of a chain to which layers are added, as a stage does with each step. */
export interface GrowingChain {
  /**
   * What a chain amounts to; of one that continues the chain before, only the new layers are read. It is the same tree
   * that grows: what was given before is as good as the newest. One call at a time.
   */
  at(chain: Chain, options?: FetchOptions): Promise<MergedTree>
}

export function growingChain(store: Store): GrowingChain {
  let grown: { readonly growing: GrowingTree; readonly ids: string[] } | undefined
  return {
    at: async (given, options = {}) => {
      const known = grown?.ids.every((id, i) => given[i]?.id === id) ? grown : { growing: growingTree(), ids: [] }
      // One that an error leaves between two chains is not used again.
      grown = undefined
      const from = known.ids.length
      const chain = [...given.slice(0, from), ...(await fetchedChain(store, given.slice(from), options))]
      for (let i = from; i < chain.length; i++) {
        known.growing.add(await layerEntries(store, chain.slice(0, i + 1)))
        known.ids.push((given[i] as LayerRecord).id)
      }
      grown = known
      return known.growing.tree
    },
  }
}

/**
 * The entries of the topmost layer of a chain. Those of a layer that a command left behind are found by looking through
 * its directory, once, and kept.
 */
export async function layerEntries(store: Store, chain: Chain): Promise<LayerTree> {
  const given = chain.at(-1)
  if (!given) return []
  // Another step may have listed it since the caller got its record; or nobody had it here.
  const layer = await fetchedLayer(store, given)
  const directory = layer.forms.directory ? store.layers.directory(layer) : undefined
  if (layer.forms.entries) {
    return decodeEntries(await store.layers.readEntries(layer), {
      ...(layer.forms.tar && layer.diffId !== undefined && { tar: store.blobs.path(layer.diffId) }),
      ...(directory !== undefined && { directory }),
    })
  }
  if (directory === undefined) throw new Error(`layer ${layer.id} has neither entries nor a directory`)
  // Forms are added while a build goes on: ask again.
  const below = chain.slice(0, -1).map(each => store.layers.get(each.id) ?? each)
  const lower = directoryChain(
    below.map(({ name, forms }) =>
      forms.directory ? store.layers.directory({ name } as LayerRecord) : missingDirectory(name),
    ),
  )
  const entries = withoutCopies(scanDirectory(directory, { overlay: true, xattrs: getXattrs }), lower)
  const kept: Entry[] = []
  let size = 0
  for await (const entry of entries) {
    kept.push(entry)
    if (entry.type === 'file') size += entry.size
  }
  await store.layers.addEntries(layer.id, encodeEntries(kept), size)
  return kept
}

function missingDirectory(name: string): never {
  throw new Error(`layer ${name} lies below one that a command wrote, but has no directory`)
}

/**
 * Overlay copies an object up when it is opened for writing or gets a child, changed or not. What is equal to the object
 * below is no change (BuildKit: overlay differ, `sameDirent`); a directory stays where something in it changed.
 */
async function* withoutCopies(entries: readonly Entry[], lower: Pick<Tree, 'get'>): AsyncGenerator<Entry> {
  const changed: boolean[] = []
  const needed = new Set<string>()
  for (const [i, entry] of entries.entries()) {
    changed[i] = !(await isCopy(entry, lower))
    if (changed[i])
      for (let at = entry.path.lastIndexOf('/'); at > 0; at = entry.path.lastIndexOf('/', at - 1))
        needed.add(entry.path.slice(0, at))
    if (changed[i] && entry.type === 'hardlink') needed.add(entry.link ?? '')
  }
  for (const [i, entry] of entries.entries()) if (changed[i] || needed.has(entry.path)) yield entry
}

async function isCopy(entry: Entry, lower: Pick<Tree, 'get'>): Promise<boolean> {
  if (entry.type === 'whiteout' || entry.type === 'opaque' || entry.type === 'hardlink') return false
  const before = lower.get(entry.path)
  if (before?.type !== entry.type || before.mode !== entry.mode || before.uid !== entry.uid || before.gid !== entry.gid)
    return false
  if (!sameXattrs(entry, before)) return false
  if (entry.type === 'directory') return true
  if (entry.mtime.seconds !== before.mtime.seconds || entry.link !== before.link) return false
  if (entry.type !== 'file')
    return entry.device?.major === before.device?.major && entry.device?.minor === before.device?.minor
  return entry.size === before.size && (await sameContent(entry, before))
}

function sameXattrs(entry: Entry, before: Entry): boolean {
  const there = before.source?.kind === 'file' ? getXattrs(diskPath(before.source.path)) : before.xattrs
  const own = entry.xattrs
  if ((own?.size ?? 0) !== (there?.size ?? 0)) return false
  return [...(own ?? [])].every(([name, value]) => Buffer.compare(value, there?.get(name) ?? Buffer.alloc(0)) === 0)
}

async function sameContent(a: Entry, b: Entry): Promise<boolean> {
  if (a.source?.kind === 'file' && b.source?.kind === 'file') {
    const [x, y] = [a.source.path, b.source.path].map(path => lstatSync(diskPath(path), { bigint: true }))
    // Nanoseconds that are set and equal only survive a copy-up; layers unpacked from archives have none.
    if (x && y && x.mtimeNs % 1_000_000_000n !== 0n && x.mtimeNs === y.mtimeNs) return true
  }
  const left = readContent(a)
  const right = readContent(b)
  for (;;) {
    const [x, y] = await Promise.all([left.next(), right.next()])
    if (x.done || y.done) return x.done === true && y.done === true
    if (Buffer.compare(x.value, y.value) !== 0) return false
  }
}
