import { type Descriptor, mediaTypes, parseDescriptor } from './descriptor.ts'
import { fieldOf, malformed, parseJson } from './json.ts'

/** One image (image-spec, manifest.md; Docker schema 2 has the same form). */
export interface ImageManifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** Several images, usually one per platform (image-spec, image-index.md; Docker's manifest list). */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** Reads a manifest from outside. Throws a `UserError`. */
export function parseImageManifest(text: string): ImageManifest {
  const what = 'image manifest'
  const object = fieldOf.object(parseJson(text, what), what)
  if (object['schemaVersion'] !== 2) throw malformed(what, 'is not of schema version 2')
  return {
    schemaVersion: 2,
    mediaType: typeof object['mediaType'] === 'string' ? object['mediaType'] : mediaTypes.ociManifest,
    config: parseDescriptor(object['config'], 'image manifest, config'),
    layers: fieldOf
      .list(object, 'layers', what)
      .map((layer, i) => parseDescriptor(layer, `image manifest, layer ${i}`)),
    ...(object['annotations'] !== undefined && { annotations: object['annotations'] as Record<string, string> }),
  }
}

/** Reads an index from outside. Throws a `UserError`. */
export function parseImageIndex(text: string): ImageIndex {
  const what = 'image index'
  const object = fieldOf.object(parseJson(text, what), what)
  if (object['schemaVersion'] !== 2) throw malformed(what, 'is not of schema version 2')
  return {
    schemaVersion: 2,
    mediaType: typeof object['mediaType'] === 'string' ? object['mediaType'] : mediaTypes.ociIndex,
    manifests: fieldOf
      .list(object, 'manifests', what)
      .map((entry, i) => parseDescriptor(entry, `image index, manifest ${i}`)),
    ...(object['annotations'] !== undefined && { annotations: object['annotations'] as Record<string, string> }),
  }
}

/** Reads either, told apart by what the JSON holds (its media type may be absent). */
export function parseManifestOrIndex(
  text: string,
): { kind: 'manifest'; value: ImageManifest } | { kind: 'index'; value: ImageIndex } {
  const object = fieldOf.object(parseJson(text, 'manifest'), 'manifest')
  return 'manifests' in object
    ? { kind: 'index', value: parseImageIndex(text) }
    : { kind: 'manifest', value: parseImageManifest(text) }
}
