import type { Digest, Reference } from '#oci'

/** A layer to write. */
export interface ExportedLayer {
  readonly diffId: Digest
  /** Bytes of the uncompressed archive. */
  readonly size: number
  /** The uncompressed archive; may be asked for more than once. */
  open(): AsyncIterable<Uint8Array>
}

/** An image to write to a layout or archive. */
export interface ExportedImage {
  /** The configuration's JSON, byte by byte: its digest is the image's id. */
  readonly config: Uint8Array
  /** Base first, as many as the configuration has diff ids. */
  readonly layers: readonly ExportedLayer[]
  /** Names it gets; possibly none. */
  readonly references: readonly Reference[]
  /** Annotations of its manifest. */
  readonly annotations?: Annotations
  /** Annotations beside the digest of its manifest, wherever an index names that. */
  readonly descriptorAnnotations?: Annotations
}

export type Annotations = Readonly<Record<string, string>>

/** Makes one thing of several images, usually of one per platform: an index, which carries the names. */
export interface ImageGroup {
  readonly references: readonly Reference[]
  /** Annotations of the index. */
  readonly annotations?: Annotations
  /** Annotations beside the digest of the index. */
  readonly descriptorAnnotations?: Annotations
}

/** How layers of an OCI layout are compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd'
