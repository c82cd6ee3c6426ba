/**
 * image: configurations assembled, images written to and read from layouts and archives.
 *
 * In: layers and a configuration, or an archive of somebody. Out: an image configuration, an OCI layout, an OCI or
 * Docker archive. Always: digests are verified when reading, bytes are deterministic when writing.
 */
export { assembleImage, type ImageParts, type NewHistory } from './assemble-image.ts'
export type { Annotations, ExportedImage, ExportedLayer, ImageGroup, LayerCompression } from './exported-image.ts'
export { writeOciLayout, type LayoutTarget } from './layout.ts'
export { type ArchiveOptions, writeDockerArchive, writeOciArchive } from './oci-archive.ts'
export type { ArchivedImage, ArchivedLayer } from './archived-image.ts'
export {
  type ImageArchive,
  openImageArchive,
  type OpenArchiveOptions,
} from './open-image-archive.ts'
export { type AnyArchive, openAnyArchive } from './open-any-archive.ts'
export { type CompressionChoice, type ImageFormat, type LayerPacking, layerPacking } from './layer-packing.ts'
export {
  type CompressedForms,
  type LayersPushOptions,
  type PushedImage,
  type PushedLayer,
  pushImages,
  type PushOptions,
  pushLayers,
} from './push-images.ts'
export { collectManifests, type CollectOptions, type ImageContent } from './collect-manifests.ts'
export { copyContent, type CopyContentOptions, writeContentArchive } from './copy-content.ts'
export { type ImagePlace, parseImagePlace } from './image-place.ts'
export { type LayoutSource, openLayoutSource } from './layout-source.ts'
export { remoteAsArchived } from './remote-layers.ts'
export type { LayoutChoice } from './read-layout-images.ts'
export { type LayoutRepository, openLayoutRepository } from './layout-repository.ts'
export {
  findRemoteImage,
  type ImageSource,
  platformsOf,
  type RemoteChoice,
  type RemoteImage,
  wholeBlob,
} from './remote-image.ts'
