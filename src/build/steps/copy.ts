import { UserError } from '#diagnostics'
import { digestOf } from '#oci'
import type { CopyStep } from '#plan'
import { findOwner } from '#rootfs'
import { type Archive, openArchive, type Selectable } from '#sources'
import { cacheKey, isElsewhere } from '#store'
import {
  cleanPath,
  contentOf,
  copyInto,
  type CopyItem,
  digestSelection,
  emptyTree,
  type Entry,
  isListable,
  type LayerTree,
  listSelection,
  mergeLayers,
  type MergedTree,
  type Owner,
  splitPath,
  unpackInto,
} from '#tree'
import { learnContents } from '../contents.ts'
import { type GatheredItem, gatherSources } from '../gather-sources.ts'
import { flagPlace, placed, sourcePlace } from '../places.ts'
import { type CacheKey, identityOf, inheritedTime, type StepInputs, type StepKind } from '../step-kind.ts'
import { timed } from '../timed.ts'
import { writeLayer } from '../write-layer.ts'

/** COPY and ADD as pure layer programs: (tree of the parent, source tree, arguments) → entries. */
export const copyKind: StepKind<CopyStep> = (step, inputs) => {
  const { store, parent, signal } = inputs
  const about = { parent: step.link ? 'independent' : identityOf(parent), step: describe(step) }
  const family = cacheKey('copy', about)
  const sources = gatherSources(step, inputs)
  let late: readonly CacheKey[] = []
  /** Of the local sources by what is in them, of the remote ones by what they are now. */
  const contentKey = async (): Promise<CacheKey> => {
    const remote = await sources.remote()
    const { tree, items } = await sources.local()
    await learnContents(items, signal)
    if (tree) remember(tree, items)
    // Whose number a name is depends on what lies below, which is part of the key: nothing is fetched for it, and where it is
    // known, it only explains.
    const isHere = (): boolean => !parent.some(layer => isElsewhere(store.layers.get(layer.id) ?? layer))
    const owner = step.chown !== undefined && (isNumeric(step) || isHere()) ? await ownerOf(step, inputs) : undefined
    const aspects = { mode: step.chmod?.kind !== 'octal', owner: step.chown === undefined, top: false }
    const content = digestSelection(items, aspects)
    const keyed = { ...about, content, ...(remote.length > 0 && { remote }) }
    const named = { ...keyed, ...(owner && { owner }) }
    const listings = isListable(items) ? [{ digest: content, text: () => listSelection(items, aspects) }] : []
    return { key: cacheKey('copy content', keyed), inputs: named, family, listings }
  }

  return {
    async *cacheKeys() {
      const identity = await wholeSource(step, inputs)
      if (identity !== undefined) {
        const paths = step.sources.map(each => (each.kind === 'path' ? each.path : null))
        const named = { ...about, source: identity, paths }
        yield { key: cacheKey('copy from', named), inputs: named }
      }
      // Without any record of this step there is nothing to find: contents are hashed while they are packed.
      if (!inputs.mayHit || !store.records.hasFamily(family)) return
      yield await contentKey()
    },

    makeLayer: async () => {
      const entries = await timed(inputs, { name: 'placing files' }, async () =>
        layOut(step, await sources.all(), inputs),
      )
      const onContent = await inputs.contentSink?.(step)
      const made = await timed(inputs, { name: 'packing' }, () =>
        writeLayer(store, entries, {
          emptyTime: inheritedTime(parent),
          signal,
          ...(onContent && { onContent }),
          onBytes: done => inputs.report({ kind: 'transfer', label: 'copying', done }),
        }),
      )
      // Packing has hashed the contents; what a later source replaced is read for the key.
      late = [await contentKey()]
      return made
    },

    lateKeys: () => late,
  }
}

/** Identity of everything that the step reads, where its source has one and nothing comes from elsewhere. */
async function wholeSource(step: CopyStep, inputs: StepInputs): Promise<string | undefined> {
  if (!step.sources.every(({ kind }) => kind === 'path' || kind === 'inline')) return undefined
  if (!step.sources.some(({ kind }) => kind === 'path')) return undefined
  return (await inputs.source(step.from)).identity
}

/** What of the instruction decides about the result, whatever the content; of a source only its name, not where it is. */
function describe(step: CopyStep): Readonly<Record<string, unknown>> {
  return {
    instruction: step.instruction,
    sources: step.sources.map(source =>
      source.kind === 'path'
        ? splitPath(cleanPath(source.path)).name
        : source.kind === 'inline'
          ? { name: source.name, body: digestOf(source.body) }
          : withoutCredentials(source.url),
    ),
    destination: step.destination.path,
    directory: step.destination.directory,
    chown: step.chown ?? null,
    chmod: step.chmod ?? null,
    link: step.link,
    parents: step.parents,
    exclude: step.exclude,
    unpack: step.unpack ?? null,
    keepGitDir: step.keepGitDir,
  }
}

/** What is remembered of a step may be shown. */
function withoutCredentials(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/?#]*@/, '$1')
}

/** Tells a context what it may remember about its own files. */
function remember(tree: Selectable, items: readonly CopyItem[]): void {
  for (const item of items) {
    for (const entry of item.entries) {
      // What was known already came from there.
      const content = entry.type === 'file' && entry.content === undefined ? contentOf(entry) : undefined
      if (content !== undefined) tree.learnContent(entry, content)
    }
  }
}

function isNumeric({ chown }: CopyStep): boolean {
  return chown !== undefined && /^\d*(:\d*)?$/.test(chown)
}

async function ownerOf(step: CopyStep, inputs: StepInputs): Promise<Owner | undefined> {
  if (step.chown === undefined) return undefined
  if (isNumeric(step)) return findOwner(emptyTree, step.chown)
  if (step.link) {
    throw new UserError(`--link cannot look up the name in --chown=${step.chown}`, {
      hint: 'use numbers, such as 1000:1000: a linked layer does not see the files below it',
      at: step.place,
    })
  }
  const { chown } = step
  return placed(flagPlace(step.place, '--chown'), async () => findOwner(await inputs.parentTree(), chown))
}

async function layOut(step: CopyStep, gathered: readonly GatheredItem[], inputs: StepInputs): Promise<LayerTree> {
  const items = gathered.map(({ item }) => item)
  const parent = step.link ? emptyTree : await inputs.parentTree()
  const owner = await ownerOf(step, inputs)
  const created = { seconds: newestOf(items, inheritedTime(inputs.parent)), nanoseconds: 0 }
  const archives = await openArchives(gathered, inputs)
  const options = { ...(owner && { owner }), created }
  return placed(step.destination.place, () => {
    if (archives.length > 0) return unpackAll(parent, { step, items, archives, options })
    const { destination, chmod } = step
    return copyInto(parent, items, { ...options, destination, ...(chmod && { mode: chmod }) })
  })
}

type Opened = readonly [CopyItem, Archive]

async function openArchives(gathered: readonly GatheredItem[], { store }: StepInputs): Promise<readonly Opened[]> {
  const archives: Opened[] = []
  for (const { item, mayUnpack } of gathered) {
    const [entry] = item.entries
    const archive = mayUnpack && entry ? await openArchive(store, entry) : undefined
    if (archive) archives.push([item, archive])
  }
  return archives
}

interface Unpacking {
  readonly step: CopyStep
  readonly items: readonly CopyItem[]
  readonly archives: readonly Opened[]
  readonly options: { readonly owner?: Owner; readonly created: { seconds: number; nanoseconds: number } }
}

/** Sources in the order written, each on top of what the ones before it made. */
async function unpackAll(parent: MergedTree, { step, items, archives, options }: Unpacking): Promise<LayerTree> {
  const opened = new Map(archives)
  const layers: LayerTree[] = []
  const flat = flattenTree(parent)
  for (const item of items) {
    const below = layers.length === 0 ? parent : mergeLayers([flat(), ...layers])
    const archive = opened.get(item)
    const layer = archive
      ? unpackInto(below, await placed(sourcePlace(step, item), () => archive.members()), {
          ...options,
          destination: step.destination.path,
        })
      : copyInto(below, [item], { ...options, destination: step.destination, ...(step.chmod && { mode: step.chmod }) })
    layers.push(layer)
  }
  return layers.length === 1 ? (layers[0] ?? []) : joinLayers(layers)
}

function flattenTree(tree: MergedTree): () => LayerTree {
  let flat: LayerTree | undefined
  return () => {
    flat ??= [...tree.walk()]
    return flat
  }
}

/** Later layers win; hard links stay behind what they refer to. */
function joinLayers(layers: readonly LayerTree[]): LayerTree {
  const all = new Map<string, Entry>()
  for (const layer of layers)
    for (const entry of layer) all.set(`${entry.type === 'opaque' ? 'opaque ' : ''}${entry.path}`, entry)
  const entries = [...all.values()].filter(entry => !isBelowOther(all, entry.path))
  return [...entries.filter(entry => entry.type !== 'hardlink'), ...entries.filter(entry => entry.type === 'hardlink')]
}

/** Whether a later layer put something that is no directory where this one had a directory. */
function isBelowOther(all: ReadonlyMap<string, Entry>, path: string): boolean {
  for (let at = splitPath(path).parent; at !== ''; at = splitPath(at).parent) {
    const above = all.get(at)
    if (above && above.type !== 'directory') return true
  }
  return false
}

function newestOf(items: readonly CopyItem[], otherwise: number): number {
  let seconds = Number.NEGATIVE_INFINITY
  for (const item of items)
    for (const entry of item.entries) if (entry.mtime.seconds > seconds) seconds = entry.mtime.seconds
  return Number.isFinite(seconds) ? seconds : otherwise
}
