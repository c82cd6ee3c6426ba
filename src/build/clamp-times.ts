import { type Chain, layerEntries } from '#rootfs'
import { cacheKey, isElsewhere, type LayerId, type LayerRecord, type Store } from '#store'
import type { Entry } from '#tree'
import { writeLayer } from './write-layer.ts'

export interface ClampOptions {
  /** Seconds since 1970. */
  readonly epoch: number
  /** Layers of the base image, which stay as they are. */
  readonly baseLayers: number
  readonly signal: AbortSignal
}

/**
 * The chain with nothing in its own layers dated later than the epoch (section 15.4 of the language page, "rewrite").
 * This is done to the finished chain: the steps' own layers and their cache keys know nothing of the epoch, so that
 * a new one makes no step run again.
 */
export async function clampTimes(store: Store, chain: Chain, options: ClampOptions): Promise<Chain> {
  const out: LayerRecord[] = chain.slice(0, options.baseLayers)
  for (let i = options.baseLayers; i < chain.length; i++)
    out.push(await clampLayer(store, { chain: chain.slice(0, i + 1), below: out }, options))
  return out
}

/** The topmost layer of `chain`, to stand on `below`. */
async function clampLayer(
  store: Store,
  { chain, below }: { readonly chain: Chain; readonly below: Chain },
  { epoch, signal }: ClampOptions,
): Promise<LayerRecord> {
  const layer = chain.at(-1) as LayerRecord
  const created = clampCreated(layer.created, epoch)
  const inputs = { layer: layer.id, epoch }
  const key = clampKey(layer.id, epoch)
  const known = store.layers.get(store.records.find(key) ?? '')
  if (known && isUsable(store, known)) return { ...known, created }
  const entries = await layerEntries(store, chain)
  if (!entries.some(entry => isLater(entry, epoch))) {
    // Nothing to look for the next time, here or where the cache travels to.
    store.records.record([key], layer.id, { inputs })
    return { ...(store.layers.get(layer.id) ?? layer), created }
  }
  const made = await writeLayer(
    store,
    entries.map(entry => (isLater(entry, epoch) ? { ...entry, mtime: { seconds: epoch, nanoseconds: 0 } } : entry)),
    { emptyTime: epoch, signal },
  )
  const parent = below.at(-1)?.id
  const id = store.layers.freshId(key)
  const added = await store.layers.add({ ...made, id, created, ...(parent !== undefined && { parent }) })
  store.records.record([key], added.id, { inputs })
  return added
}

/** The key under which the layer without later times is found. */
export function clampKey(layer: LayerId, epoch: number): string {
  return cacheKey('clamped times', { layer, epoch })
}

function isUsable(store: Store, layer: LayerRecord): boolean {
  if (layer.forms.directory) return true
  if (layer.diffId === undefined) return false
  return store.blobs.exists(layer.diffId) || (isElsewhere(layer) && store.layers.places(layer.diffId).length > 0)
}

function isLater({ mtime }: Entry, epoch: number): boolean {
  return mtime.seconds > epoch || (mtime.seconds === epoch && mtime.nanoseconds > 0)
}

/** A time in RFC 3339, but none after the epoch. */
export function clampCreated(created: string, epoch: number): string {
  return Date.parse(created) > epoch * 1000 ? new Date(epoch * 1000).toISOString() : created
}
