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
  readonly annotations?: Readonly<Record<string, string>>
}

/** How layers of an OCI layout are compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd'
