/**
 * oci: the field's words without I/O: digests, descriptors, references, platforms, image configuration, manifests.
 *
 * In: strings and JSON from outside. Out: checked values. Always: what carries a type of this room was made by the one
 * function that checks it; nothing here reads a file or a socket.
 */
export {
  type Blobs,
  type Descriptor,
  type ManifestBytes,
  type Manifests,
  mediaTypes,
  parseDescriptor,
} from './descriptor.ts'
export { chainId, type Digest, digestOf, digestHex, isDigest, parseDigest, Sha256 } from './digest.ts'
export {
  type ImageConfig,
  type ContainerConfig,
  type HealthCheck,
  type HistoryEntry,
  parseImageConfig,
} from './image-config.ts'
export {
  type ImageIndex,
  type ImageManifest,
  parseImageIndex,
  parseImageManifest,
  parseManifestOrIndex,
} from './manifest.ts'
export { type Platform, formatPlatform, hostPlatform, parsePlatform, platformMatches } from './platform.ts'
export { formatReference, familiarReference, parseReference, type Reference } from './reference.ts'
