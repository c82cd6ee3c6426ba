import type { PushedImage, PushedLayer } from '#image'
import { openLayerTar, packedLayer } from '#rootfs'
import { isElsewhere, type Store } from '#store'
import type { NamedImage } from './exported-image.ts'

/** An image of the store as it is pushed: layers that are somewhere else stay there until their bytes are needed. */
export async function pushedImage(store: Store, { id, chain }: Omit<NamedImage, 'references'>): Promise<PushedImage> {
  const layers: PushedLayer[] = []
  for (let i = 0; i < chain.length; i++) {
    const below = chain.slice(0, i + 1)
    const layer = await packedLayer(store, below)
    layers.push({
      diffId: layer.diffId,
      ...(layer.tarSize !== undefined && { size: layer.tarSize }),
      elsewhere: isElsewhere(layer),
      open: () => openLayerTar(store, below),
    })
  }
  return { config: await store.blobs.get(id), layers }
}
