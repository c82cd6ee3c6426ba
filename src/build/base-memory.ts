import type { BaseMemory, ComposedBase, RememberedBase } from '#debian'
import type { Digest } from '#oci'
import { cacheKey, type Store } from '#store'

/** What a record of a base says besides its key. */
interface BaseInputs extends Omit<RememberedBase, 'name'> {
  readonly image: Digest
}

/**
 * Bases that were composed into a store, as records of their topmost layers: they go when the layers go. A base that is recalled
 * counts as made now, its layers as used, so that nobody prunes them meanwhile.
 */
export function openBaseMemory(store: Store, composer: string): BaseMemory {
  return {
    composer,
    recall(key) {
      const record = recordKey(key)
      const layer = store.records.find(record)
      const found = layer === undefined ? undefined : store.records.ofLayer(layer).find(each => each.key === record)
      if (found === undefined) return undefined
      const { image, omitted, warnings } = found.inputs as unknown as BaseInputs
      const layers = store.images.get(image)?.layers
      if (!layers || !store.layers.areHere(layers)) return undefined
      store.images.add(image, layers)
      store.layers.touch(layers)
      return { name: image, omitted, warnings }
    },
  }
}

/** Remembers an image that was made of a base. */
export function rememberBase(store: Store, image: Digest, { key, omitted, warnings }: ComposedBase): void {
  const top = store.images.get(image)?.layers.at(-1)
  if (key === undefined || top === undefined) return
  store.records.record([recordKey(key)], top, { inputs: { image, omitted, warnings } })
}

function recordKey(key: string): string {
  return cacheKey('base', { key })
}
