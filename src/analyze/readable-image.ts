import type { Digest, ImageConfig } from '#oci'
import type { ImageRecipe } from '#store'
import type { LayerTree } from '#tree'

/** An image whose layers can be listed, wherever it is. */
export interface ReadableImage {
  /** As the user called it. */
  readonly name: string
  /** Digest of its configuration. */
  readonly id: Digest
  readonly config: ImageConfig
  /** Base first. */
  readonly layers: readonly ReadableLayer[]
  /** Which instruction made which layer, where that is known. */
  readonly recipe?: ImageRecipe
  /** Of these the lowest are a base image's; absent: not known. */
  readonly base?: ImageBase
}

/** How many of the lowest layers belong to the image that FROM named, and who says so. */
export interface ImageBase {
  readonly layers: number
  readonly reference?: string
  /**
   * `build`: recorded when the image was built; `given`: named by the user; `store`: an image of the store has these
   * layers; `history`: the first layer is a whole root file system; `none`: nothing tells.
   */
  readonly source: 'build' | 'given' | 'store' | 'history' | 'none'
}

export interface ReadableLayer {
  readonly diffId: Digest
  /** Bytes of the uncompressed archive, where known without reading it. */
  readonly tarSize?: number
  /** Bytes of the compressed form that the image's manifest names, where it has one. */
  readonly compressedSize?: number
  /** The layer's entries, each file with its content's digest and a source to read it from. */
  entries(): Promise<LayerTree>
}
