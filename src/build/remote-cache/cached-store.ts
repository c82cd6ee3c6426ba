import { isElsewhere, type LayerId, type LayerPlace, type LayerRecord, type Store } from '#store'
import type { CachedLayer } from './cache-format.ts'
import { type OpenedCache, placeOf } from './open-cache.ts'

/** A store that also finds what caches know. What a build uses of them becomes known to the store itself. */
export interface CachedStore {
  readonly store: Store
  /** Do not count on a layer whose bytes nobody has: it is needed. Returns whether that is new. */
  deny(layer: LayerRecord): boolean
  /**
   * A layer of the caches cannot be fetched, or is not what it should be: the store forgets it, and the caches are not asked for it
   * again. Returns false for a layer that is not from them.
   */
  reject(layer: LayerRecord): Promise<boolean>
  /** Whether any layer is known without its bytes. */
  readonly hasUnavailable: boolean
}

interface Answer {
  readonly layer: CachedLayer
  readonly places: readonly LayerPlace[]
}

/**
 * Puts caches before a store, the first one first. Its own records come before theirs; a record of theirs that hits gives a layer
 * whose bytes are fetched when they are needed, or one that only has its name (`LayerRecord.unavailable`).
 */
export function cachedStore(store: Store, caches: readonly OpenedCache[]): CachedStore {
  const { answers, families, layers } = indexOf(caches)
  const unavailable = new Map<LayerId, LayerRecord>()
  const denied = new Set<LayerId>()
  const rejected = new Set<LayerId>()

  const get = (id: LayerId): LayerRecord | undefined => store.layers.get(id) ?? unavailable.get(id)
  const isHere = (id: LayerId): boolean => {
    const layer = store.layers.get(id)
    if (!layer) return false
    const { directory, tar } = layer.forms
    return directory || tar || (layer.diffId !== undefined && store.layers.places(layer.diffId).length > 0)
  }
  const materialise = ({ layer, places }: Answer): LayerId | undefined => {
    const { id, diffId } = layer
    if (rejected.has(id)) return undefined
    if (diffId !== undefined && places.length > 0) {
      const { blob: _, ...named } = layer
      store.layers.name({ ...named, diffId })
      for (const { repository, blob } of places) store.layers.addPlace(diffId, repository, blob)
      return id
    }
    if (denied.has(id)) return undefined
    if (!store.layers.get(id)) unavailable.set(id, withoutBytes(layer))
    return id
  }

  return {
    store: {
      ...store,
      layers: { ...store.layers, get },
      records: {
        find: key => {
          const own = store.records.find(key)
          if (own !== undefined && isHere(own)) return own
          const answer = answers.get(key)
          return (answer && materialise(answer)) ?? own
        },
        hasFamily: family => store.records.hasFamily(family) || families.has(family),
        ofLayer: layer => {
          const own = store.records.ofLayer(layer)
          const keys = new Set(own.map(({ key }) => key))
          return [...own, ...(layers.get(layer) ?? []).filter(({ key }) => !keys.has(key))]
        },
        record: (keys, layer, about) => {
          if (store.layers.get(layer)) store.records.record(keys, layer, about)
        },
      },
    },
    deny: ({ id }) => {
      if (!unavailable.delete(id)) return false
      denied.add(id)
      return true
    },
    reject: async ({ id }) => {
      if (!layers.has(id) || rejected.has(id)) return false
      rejected.add(id)
      const row = store.layers.get(id)
      if (row && isElsewhere(row)) await store.layers.remove(row)
      return true
    },
    hasUnavailable: [...answers.values()].some(({ places }) => places.length === 0),
  }
}

function withoutBytes(cached: CachedLayer): LayerRecord {
  const { blob: _, ...layer } = cached
  return { ...layer, name: '', forms: { directory: false, tar: false, entries: false }, unavailable: true }
}

type KnownRecord = OpenedCache['records']['records'][number]

function indexOf(caches: readonly OpenedCache[]): {
  readonly answers: ReadonlyMap<string, Answer>
  readonly families: ReadonlySet<string>
  readonly layers: ReadonlyMap<LayerId, readonly KnownRecord[]>
} {
  const answers = new Map<string, Answer>()
  const families = new Set<string>()
  const layers = new Map<LayerId, KnownRecord[]>()
  for (const cache of caches) {
    for (const record of cache.records.records) {
      const layer = cache.records.layers[record.layer]
      if (!layer) continue
      if (record.family !== undefined) families.add(record.family)
      layers.set(layer.id, [...(layers.get(layer.id) ?? []), record])
      const before = answers.get(record.key)
      const place = placeOf(cache, layer)
      // An answer with bytes is better than one without.
      if (before && (before.places.length > 0 || !place)) continue
      answers.set(record.key, { layer, places: place ? [place] : [] })
    }
  }
  return { answers, families, layers }
}
