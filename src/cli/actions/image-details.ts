import { type ImageConfig, parseImageConfig } from '#oci'
import type { ImageRecord, Store } from '#store'

/** What the store knows about an image, read for people. */
export interface ImageDetails {
  readonly image: ImageRecord
  readonly config: ImageConfig
  /** Bytes of file content of each layer, base first. */
  readonly layerSizes: readonly number[]
  /** Familiar names. */
  readonly tags: readonly string[]
}

/** Reads an image's configuration and the sizes of its layers. */
export async function imageDetails(store: Store, image: ImageRecord): Promise<ImageDetails> {
  const config = parseImageConfig((await store.blobs.get(image.id)).toString())
  const layerSizes = image.layers.map(id => store.layers.get(id)?.size ?? 0)
  return { image, config, layerSizes, tags: store.images.tagsOf(image.id) }
}

/** Bytes of all layers. */
export function totalSize(details: ImageDetails): number {
  return details.layerSizes.reduce((sum, size) => sum + size, 0)
}

/** When the image was made, in milliseconds since 1970, as its configuration says. */
export function createdTime(config: ImageConfig): number | undefined {
  const time = Date.parse(config.created ?? '')
  return Number.isNaN(time) ? undefined : time
}
