import { UserError } from '#diagnostics'
import { parseImageConfig } from '#oci'
import { type Chain, layerEntries } from '#rootfs'
import type { ImageRecord, Store } from '#store'
import { findBase } from './image-base.ts'
import { learnContents } from './learn-contents.ts'
import type { ReadableImage } from './readable-image.ts'

/** An image of the store, its layers read from the files of entries that stand beside them. */
export async function storeImage(store: Store, record: ImageRecord, name: string): Promise<ReadableImage> {
  const config = parseImageConfig((await store.blobs.get(record.id)).toString('utf8'))
  const chain: Chain = record.layers.map(id => {
    const layer = store.layers.get(id)
    if (layer) return layer
    throw new UserError(`image ${name} is no longer complete in the store`, {
      hint: 'another process removed a layer; load or build it again',
    })
  })
  const image = {
    name,
    id: record.id,
    config,
    layers: chain.map((layer, i) => ({
      diffId: config.rootfs.diff_ids[i] as (typeof config.rootfs.diff_ids)[number],
      ...(layer.tarSize !== undefined && { tarSize: layer.tarSize }),
      entries: async () => learnContents(await layerEntries(store, chain.slice(0, i + 1))),
    })),
    ...(record.recipe && { recipe: record.recipe }),
  }
  return { ...image, base: await findBase(image, store) }
}
