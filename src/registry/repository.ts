import type { Blobs, Descriptor, Digest, Manifests } from '#oci'
import type { RepositoryName } from './server-address.ts'

/** A repository of a registry. What it throws is a `RegistryError` or, for bytes that are not what they should be, a `UserError`. */
export interface Repository extends Blobs, Manifests {
  readonly name: RepositoryName
  /** All tags, sorted. */
  tags(): Promise<readonly string[]>
  /**
   * The blob of another repository of the same registry becomes one of this one, without its bytes being moved. False where the
   * registry does not do that: then it has to be written.
   */
  mount(descriptor: Descriptor, fromPath: string): Promise<boolean>
  /**
   * Stores a blob of which nothing is known before it ends. A broken upload begins again with a fresh `source()`. `expected` is
   * verified before the blob becomes visible.
   */
  upload(
    source: () => AsyncIterable<Uint8Array>,
    expected?: { readonly digest: Digest; readonly size: number },
  ): Promise<StoredBlob>
  /** Digest and media type of what a tag names, without its bytes; undefined where there is none. */
  find(
    name: string,
  ): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number } | undefined>
}

/** A blob as it was stored. */
export interface StoredBlob {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}
