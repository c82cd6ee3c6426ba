import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Compressor, compressGzip, compressZstd } from '#layer'
import {
  type Descriptor,
  type Digest,
  digestOf,
  familiarReference,
  formatReference,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  parseImageConfig,
  type Platform,
  type Reference,
  Sha256,
} from '#oci'
import type { Annotations, ExportedImage, ExportedLayer, ImageGroup, LayerCompression } from './exported-image.ts'
import { verified } from './verified.ts'

/** A blob of a layout that is being written. */
export interface LayoutBlob {
  readonly digest: Digest
  readonly size: number
  /** A temporary file that holds it, and that is removed afterwards if it is still there. */
  readonly file?: string
  /** Its bytes, verified. */
  open(): AsyncIterable<Uint8Array>
}

export interface LayoutOptions {
  /** Default `gzip`. */
  readonly compression?: LayerCompression
  /** Of the compression; its own default. */
  readonly level?: number
  /** Directory for compressed layers while they wait for their size to be known, one at a time. */
  readonly scratch: string
  /** Joins the images: only their index has names. */
  readonly group?: ImageGroup
}

const layerTypes: Readonly<Record<LayerCompression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
}

/**
 * The blobs of a layout with these images, each once; returns the descriptors of the manifests, in the order of the
 * images, or that of the index of a group (image-spec, image-layout.md, manifest.md and image-index.md).
 */
export async function* layoutBlobs(
  images: readonly ExportedImage[],
  options: LayoutOptions,
): AsyncGenerator<LayoutBlob, readonly Descriptor[], undefined> {
  const written = new Set<Digest>()
  const layers = new Map<Digest, Descriptor>()
  const manifests: Descriptor[] = []
  for (const image of images) {
    const config = checkedConfig(image)
    for (const layer of image.layers) {
      if (!layers.has(layer.diffId)) layers.set(layer.diffId, yield* layerBlob(layer, options, written))
    }
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: describe(mediaTypes.ociConfig, image.config),
      layers: image.layers.map(layer => layers.get(layer.diffId) as Descriptor),
      ...(image.annotations !== undefined && { annotations: image.annotations }),
    }
    yield* smallBlob(image.config, written)
    const bytes = Buffer.from(JSON.stringify(manifest))
    yield* smallBlob(bytes, written)
    manifests.push({ ...describe(mediaTypes.ociManifest, bytes), platform: platformOf(config) })
  }
  return options.group ? [yield* groupBlob(options.group, describedManifests(images, manifests), written)] : manifests
}

function describedManifests(images: readonly ExportedImage[], manifests: readonly Descriptor[]): Descriptor[] {
  return manifests.map((manifest, i) => annotated(manifest, images[i]?.descriptorAnnotations))
}

function* groupBlob(
  { annotations }: ImageGroup,
  manifests: readonly Descriptor[],
  written: Set<Digest>,
): Generator<LayoutBlob, Descriptor, undefined> {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests,
    ...(annotations !== undefined && { annotations }),
  }
  const bytes = Buffer.from(JSON.stringify(index))
  yield* smallBlob(bytes, written)
  return describe(mediaTypes.ociIndex, bytes)
}

export function annotated({ platform, ...descriptor }: Descriptor, annotations: Annotations | undefined): Descriptor {
  return {
    ...descriptor,
    ...(annotations !== undefined && { annotations }),
    ...(platform !== undefined && { platform }),
  }
}

async function* layerBlob(
  layer: ExportedLayer,
  options: LayoutOptions,
  written: Set<Digest>,
): AsyncGenerator<LayoutBlob, Descriptor, undefined> {
  const { compression = 'gzip', scratch } = options
  const { diffId, size: plainSize } = layer
  const plain = () => verified(layer.open(), { digest: diffId, size: plainSize, what: `layer ${diffId}` })
  if (compression === 'none') {
    if (!written.has(diffId)) yield { digest: diffId, size: plainSize, open: plain }
    written.add(diffId)
    return { mediaType: layerTypes.none, digest: diffId, size: plainSize }
  }
  const file = join(scratch, `layer-${randomUUID()}`)
  try {
    const { digest, size } = await spool(compressorOf(options)(plain()), file)
    if (!written.has(digest))
      yield { digest, size, file, open: () => createReadStream(file, { highWaterMark: 1 << 18 }) }
    written.add(digest)
    return { mediaType: layerTypes[compression], digest, size }
  } finally {
    await rm(file, { force: true })
  }
}

/** The compressor that the options ask for. Throws a `UserError` for a level that it hasn't. */
export function compressorOf({ compression, level }: Pick<LayoutOptions, 'compression' | 'level'>): Compressor {
  const chosen = level === undefined ? {} : { level }
  return compression === 'zstd' ? compressZstd(chosen) : compressGzip(chosen)
}

/** Writes a stream to a new file. */
export async function spool(
  source: AsyncIterable<Uint8Array>,
  path: string,
): Promise<{ digest: Digest; size: number }> {
  const hash = new Sha256()
  await using file = await open(path, 'wx', 0o644)
  for await (const bytes of source) {
    hash.update(bytes)
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
  }
  return { size: hash.size, digest: hash.digest() }
}

function* smallBlob(bytes: Uint8Array, written: Set<Digest>): Generator<LayoutBlob, void, undefined> {
  const digest = digestOf(bytes)
  if (!written.has(digest)) yield { digest, size: bytes.length, open: () => once(bytes) }
  written.add(digest)
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

/** The configuration, which has to name exactly the layers. A mismatch is our mistake, not the user's. */
export function checkedConfig(image: {
  readonly config: Uint8Array
  readonly layers: readonly { readonly diffId: Digest }[]
}): ImageConfig {
  const config = parseImageConfig(Buffer.from(image.config).toString())
  const named = config.rootfs.diff_ids.join()
  const given = image.layers.map(layer => layer.diffId).join()
  if (named !== given) throw new Error(`the configuration names the layers ${named}, given are ${given}`)
  return config
}

export function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

export function platformOf(config: ImageConfig): Platform {
  const version = config['os.version']
  return {
    architecture: config.architecture,
    os: config.os,
    ...(config.variant !== undefined && { variant: config.variant }),
    ...(version !== undefined && { 'os.version': version }),
  }
}

/** `{"imageLayoutVersion":"1.0.0"}`, the content of `oci-layout`. */
export const layoutVersion = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/**
 * The entries of `index.json`: one for each name of each image, with the annotations by which BuildKit and containerd
 * (`io.containerd.image.name`, the whole name) and everybody else (`org.opencontainers.image.ref.name`, the tag) find
 * it; one without for an image that has no name. A group has one entry for each of its names.
 */
export function indexEntries(
  images: readonly ExportedImage[],
  manifests: readonly Descriptor[],
  group?: ImageGroup,
): readonly Descriptor[] {
  const named = group ? [group] : images
  return manifests.flatMap((manifest, i) => {
    const { references = [], descriptorAnnotations } = named[i] ?? {}
    if (references.length === 0) return [annotated(manifest, descriptorAnnotations)]
    return references.map(reference => annotated(manifest, { ...descriptorAnnotations, ...nameAnnotations(reference) }))
  })
}

function nameAnnotations(reference: Reference): Record<string, string> {
  return {
    'io.containerd.image.name': formatReference(reference),
    ...(reference.tag !== undefined && { 'org.opencontainers.image.ref.name': reference.tag }),
  }
}

/** The bytes of an `index.json`. */
export function encodeIndex(manifests: readonly Descriptor[]): Buffer {
  const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
  return Buffer.from(JSON.stringify(index))
}

/** The names by which `docker load` tags an image: one with a digest instead of a tag can't be one. */
export function repositoryTags(references: readonly Reference[]): readonly string[] {
  return references
    .filter(reference => reference.tag !== undefined)
    .map(({ domain, path, tag }) => familiarReference({ domain, path, ...(tag !== undefined && { tag }) }))
}
