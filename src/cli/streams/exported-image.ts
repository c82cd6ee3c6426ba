import type { ExportedImage, ExportedLayer } from '#image'
import type { Digest, Reference } from '#oci'
import { type Chain, fetchedChain, openLayerTar, packedLayer } from '#rootfs'
import type { Store } from '#store'

/** An image of the store with the names it gets where it goes. */
export interface NamedImage {
  readonly id: Digest
  readonly chain: Chain
  readonly references: readonly Reference[]
}

/** An image of the store in the form that leaves the store. Packs layers whose archive was never made, and fetches those that are somewhere else. */
export async function exportedImage(
  store: Store,
  { id, chain: given, references }: NamedImage,
): Promise<ExportedImage> {
  const chain = await fetchedChain(store, given)
  const layers: ExportedLayer[] = []
  for (let i = 0; i < chain.length; i++) layers.push(await exportedLayer(store, chain.slice(0, i + 1)))
  return { config: await store.blobs.get(id), layers, references }
}

async function exportedLayer(store: Store, chain: Chain): Promise<ExportedLayer> {
  const layer = await packedLayer(store, chain)
  const open = (): AsyncIterable<Uint8Array> => openLayerTar(store, chain)
  if (layer.tarSize === undefined) throw new Error(`layer ${layer.id} is packed, but its size is not known`)
  return { diffId: layer.diffId, size: layer.tarSize, open }
}
