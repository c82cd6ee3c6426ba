import { type Digest, parseDigest } from './digest.ts'
import { fieldOf, malformed, type Json } from './json.ts'
import { type Platform, platformFromJson } from './platform.ts'

/** Media types of the image specification and of Docker's schema 2. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** Points at bytes by what they are (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  readonly urls?: readonly string[]
}

/** Bytes by digest: the store, a registry, an OCI layout and an archive implement it. */
export interface Blobs {
  has(descriptor: Descriptor): Promise<boolean>
  /** The blob's bytes. The reader's end verifies digest and size; a mismatch throws. */
  read(descriptor: Descriptor): AsyncIterable<Uint8Array>
  /** Stores a blob; visible only when complete and equal to the descriptor. */
  write(descriptor: Descriptor, bytes: AsyncIterable<Uint8Array>): Promise<void>
}

/** A manifest or an index with its bytes, which its digest names. */
export interface ManifestBytes {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** Manifests and indexes by name, beside the blobs that they point at: a registry's repository has them. */
export interface Manifests {
  /** What a tag or digest names, verified; undefined where there is none. */
  resolve(name: string): Promise<ManifestBytes | undefined>
  /**
   * Publishes a manifest or an index under its digest, and under a tag where one is given. What it points at has to be there;
   * so a tag never names something incomplete.
   */
  publish(manifest: { readonly mediaType: string; readonly bytes: Uint8Array }, tag?: string): Promise<Descriptor>
}

/** Checks a descriptor from outside. `what` names it in errors. Throws a `UserError`. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  const object = fieldOf.object(value, what)
  const size = fieldOf.number(object, 'size', what)
  if (!Number.isSafeInteger(size) || size < 0) throw malformed(what, `has size ${size}`)
  const annotations = object['annotations'] as Json | undefined
  const platform = object['platform']
  return {
    mediaType: fieldOf.string(object, 'mediaType', what),
    digest: parseDigest(fieldOf.string(object, 'digest', what)),
    size,
    ...(annotations && typeof annotations === 'object' && { annotations: annotations as Record<string, string> }),
    ...(platform !== undefined && platform !== null && { platform: platformFromJson(platform, what) }),
  }
}
