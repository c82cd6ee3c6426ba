import type { Digest, Reference } from '#oci'

/** A layer in an archive. */
export interface ArchivedLayer {
  /** As the archive says; of a Docker archive, the type of an uncompressed layer. */
  readonly mediaType: string
  readonly diffId: Digest
  /** The uncompressed layer, verified: throws a `UserError` when it turns out to be another. */
  open(): AsyncIterable<Uint8Array>
}

/** An image in an archive. */
export interface ArchivedImage {
  /** Its names, each once; possibly none. */
  readonly references: readonly Reference[]
  /** The configuration's JSON, verified. */
  readonly config: Uint8Array
  /** Base first. */
  readonly layers: readonly ArchivedLayer[]
}
