import { originName } from '#build'
import { familiarReference, type ImageConfig, parseImageConfig, parseReference } from '#oci'
import { type ImageRecord, isElsewhere, type Store } from '#store'

/** What the store knows about an image, read for people. */
export interface ImageDetails {
  readonly image: ImageRecord
  readonly config: ImageConfig
  /** Bytes of file content of each layer, base first. */
  readonly layerSizes: readonly number[]
  /** Compressed bytes of the layers that are still somewhere else. */
  readonly elsewhereSize: number
  /** Familiar names. */
  readonly tags: readonly string[]
  /** `NAME@DIGEST`, as registries know it. */
  readonly digests: readonly string[]
  /** What a familiar name stood for at its registry. */
  digestOf(tag: string): string | undefined
}

/** Reads an image's configuration and the sizes of its layers. */
export async function imageDetails(store: Store, image: ImageRecord): Promise<ImageDetails> {
  const config = parseImageConfig((await store.blobs.get(image.id)).toString())
  const layerSizes = image.layers.map(id => store.layers.get(id)?.size ?? 0)
  const origins = store.images.originsOf(image.id)
  const digests = origins.filter(({ name, digest }) => name.endsWith(`@${digest}`)).map(({ name }) => shortName(name))
  return {
    image,
    config,
    layerSizes,
    elsewhereSize: image.layers.reduce((sum, id) => sum + remoteSize(store, id), 0),
    tags: store.images.tagsOf(image.id),
    digests: [...new Set(digests)],
    digestOf: tag => origins.find(({ name }) => name === originName(parseReference(tag)))?.digest,
  }
}

function shortName(name: string): string {
  return familiarReference(parseReference(name))
}

function remoteSize(store: Store, id: string): number {
  const layer = store.layers.get(id)
  if (layer?.diffId === undefined || !isElsewhere(layer)) return 0
  return store.layers.places(layer.diffId)[0]?.blob.size ?? 0
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
