import {
  type Blobs,
  type Descriptor,
  type Digest,
  type ImageIndex,
  type ImageManifest,
  type ManifestBytes,
  mediaTypes,
  type Platform,
} from '#oci'
import type { Repository } from '#registry'
import type { Annotations, ExportedImage, ExportedLayer, ImageGroup } from './exported-image.ts'
import { annotated, checkedConfig, describe, once, platformOf } from './layout-blobs.ts'
import {
  type CompressionChoice,
  type ImageFormat,
  type LayerPacking,
  layerPacking,
  layerTypeIn,
} from './layer-packing.ts'

/** A layer to push. */
export interface PushedLayer extends Pick<ExportedLayer, 'diffId' | 'open'> {
  /** Bytes of the uncompressed archive, where known. */
  readonly size?: number
  /** Its bytes are not here: rather copied from where they are than unpacked and packed again. */
  readonly elsewhere?: boolean
}

/** An image to push. */
export interface PushedImage extends Pick<ExportedImage, 'config' | 'annotations' | 'descriptorAnnotations'> {
  readonly layers: readonly PushedLayer[]
}

/** What is known of compressed forms of layers; the store remembers it. */
export interface CompressedForms {
  /** Blobs with the layer's archive, and the repositories that have them as `HOST/PATH`. */
  places(diffId: Digest): readonly { readonly repository: string; readonly blob: Descriptor }[]
  compressed(diffId: Digest, variant: string): Descriptor | undefined
  rememberCompressed(diffId: Digest, variant: string, blob: Descriptor): void
  addPlace(diffId: Digest, repository: string, blob: Descriptor): void
}

export interface PushOptions {
  readonly repository: Repository
  /** Empty: only digests name what was pushed. */
  readonly tags: readonly string[]
  readonly packing: CompressionChoice
  /** Default `oci`. */
  readonly format?: ImageFormat
  readonly forms: CompressedForms
  /** Opens another place that has a layer. */
  readonly openPlace: (repository: string) => Promise<Pick<Blobs, 'read'>>
  /** Joins the images, as those of several platforms. */
  readonly group?: Pick<ImageGroup, 'annotations'>
  /** Uncompressed bytes of a layer so far, and how many there are, where known; `how` it gets there when that is known. */
  readonly report?: (label: string, done: number, total?: number) => void
  readonly signal: AbortSignal
}

/** What pushing layers alone needs; the repository may as well be a layout. */
export interface LayersPushOptions
  extends Pick<PushOptions, 'packing' | 'format' | 'forms' | 'openPlace' | 'report' | 'signal'> {
  readonly repository: Pick<Repository, 'name' | 'has' | 'mount' | 'upload'>
}

/** Blobs at once. */
const atOnce = 4

/**
 * Pushes images: layers several at a time, each compressed while it is sent, none that is there already; then configurations,
 * manifests, and the tags at last, so that a tag never names something incomplete. Gives the descriptor of the manifest, or of the
 * index of a group.
 */
export async function pushImages(images: readonly PushedImage[], options: PushOptions): Promise<Descriptor> {
  const { format = 'oci', repository, tags, group } = options
  const layers = await pushLayers(
    images.flatMap(image => image.layers),
    options,
  )
  const manifests: ManifestBytes[] = []
  for (const image of images) {
    const config = { ...describe(configType(format), image.config) }
    if (!(await repository.has(config))) await repository.write(config, once(image.config))
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: manifestType(format),
      config,
      layers: image.layers.map(layer => layers.get(layer.diffId) as Descriptor),
      ...(image.annotations !== undefined && { annotations: image.annotations }),
    }
    const bytes = Buffer.from(JSON.stringify(manifest))
    const platform: Platform = platformOf(checkedConfig(image))
    manifests.push({ descriptor: { ...describe(manifest.mediaType, bytes), platform }, bytes })
  }
  const [only] = manifests
  if (group === undefined && only !== undefined && manifests.length === 1) {
    return publish(repository, { mediaType: only.descriptor.mediaType, bytes: only.bytes }, tags)
  }
  for (const { descriptor, bytes } of manifests) await repository.publish({ mediaType: descriptor.mediaType, bytes })
  return publish(
    repository,
    indexOf(images, manifests, { format, ...(group?.annotations && { annotations: group.annotations }) }),
    tags,
  )
}

function indexOf(
  images: readonly PushedImage[],
  manifests: readonly ManifestBytes[],
  { format, annotations }: { readonly format: ImageFormat; readonly annotations?: Annotations },
): { readonly mediaType: string; readonly bytes: Uint8Array } {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: format === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerIndex,
    manifests: manifests.map(({ descriptor }, i) => annotated(descriptor, images[i]?.descriptorAnnotations)),
    ...(annotations !== undefined && { annotations }),
  }
  return { mediaType: index.mediaType, bytes: Buffer.from(JSON.stringify(index)) }
}

/** Under its digest alone where there are no tags. */
async function publish(
  repository: Repository,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
  tags: readonly string[],
): Promise<Descriptor> {
  let descriptor: Descriptor | undefined
  for (const tag of tags.length === 0 ? [undefined] : tags) descriptor = await repository.publish(manifest, tag)
  return descriptor as Descriptor
}

function manifestType(format: ImageFormat): string {
  return format === 'oci' ? mediaTypes.ociManifest : mediaTypes.dockerManifest
}

function configType(format: ImageFormat): string {
  return format === 'oci' ? mediaTypes.ociConfig : mediaTypes.dockerConfig
}

/** Pushes layers, several at a time, each once; gives their blobs by diff id. */
export async function pushLayers(
  layers: readonly PushedLayer[],
  options: LayersPushOptions,
): Promise<ReadonlyMap<Digest, Descriptor>> {
  const distinct = new Map(layers.map(layer => [layer.diffId, layer] as const))
  const packing = layerPacking(options.packing, options.format ?? 'oci')
  const { force = false } = options.packing
  const waiting = [...distinct.values()]
  const count = waiting.length
  let started = 0
  const done = new Map<Digest, Descriptor>()
  const work = async (): Promise<void> => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      options.signal.throwIfAborted()
      const label = `layer ${++started} of ${count}`
      try {
        done.set(layer.diffId, await pushLayer(layer, { ...options, packing, force, label }))
      } catch (error) {
        waiting.length = 0
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
  return done
}

interface LayerPush extends Omit<LayersPushOptions, 'packing'> {
  readonly packing: LayerPacking
  readonly force: boolean
  readonly label: string
}

async function pushLayer(layer: PushedLayer, push: LayerPush): Promise<Descriptor> {
  const { repository, forms, packing, format = 'oci' } = push
  const here = `${repository.name.domain}/${repository.name.path}`
  const found = (await storedForm(layer, push)) ?? (await copiedForm(layer, push))
  if (found !== undefined) {
    forms.addPlace(layer.diffId, here, found)
    const { digest, size } = found
    return { mediaType: layerTypeIn(found.mediaType, format) ?? found.mediaType, digest, size }
  }
  const { compress } = packing
  const plain = () => counted(layer.open(), (done, last) => push.report?.(push.label, done, last ? done : layer.size))
  const expected =
    compress === undefined && layer.size !== undefined ? { digest: layer.diffId, size: layer.size } : undefined
  const blob = await repository.upload(() => (compress === undefined ? plain() : compress(plain())), expected)
  // Always in this order: the manifest's bytes depend on it.
  const stored = { mediaType: packing.mediaType, digest: blob.digest, size: blob.size }
  forms.rememberCompressed(layer.diffId, packing.variant, stored)
  forms.addPlace(layer.diffId, here, stored)
  return stored
}

/** Forms that may do: the one that the packing gave before, and those that others made, unless the packing is forced. */
function candidates(layer: PushedLayer, { forms, packing, force }: LayerPush) {
  const places = forms.places(layer.diffId)
  const own = forms.compressed(layer.diffId, packing.variant)
  const plain =
    packing.compress === undefined && layer.size !== undefined
      ? { mediaType: packing.mediaType, digest: layer.diffId, size: layer.size }
      : undefined
  const wanted = own ?? plain
  const blobs = [...(wanted ? [wanted] : []), ...(force ? [] : places.map(place => place.blob))]
  const distinct = [...new Map(blobs.map(blob => [blob.digest, blob])).values()]
  return distinct.map(blob => ({
    blob,
    repositories: places.filter(place => place.blob.digest === blob.digest).map(place => place.repository),
  }))
}

/** A form that the repository has, or that the registry has in another one. */
async function storedForm(layer: PushedLayer, push: LayerPush): Promise<Descriptor | undefined> {
  const { repository } = push
  const forms = candidates(layer, push)
  for (const { blob } of forms) if (await repository.has(blob)) return blob
  for (const { blob, repositories } of forms) {
    for (const place of repositories) {
      const path = pathWithin(place, repository)
      if (path !== undefined && (await repository.mount(blob, path))) return blob
    }
  }
  return undefined
}

/** What is not here goes from one registry to the other, as it is. */
async function copiedForm(layer: PushedLayer, push: LayerPush): Promise<Descriptor | undefined> {
  if (layer.elsewhere !== true) return undefined
  for (const { blob, repositories } of candidates(layer, push)) {
    for (const place of repositories) {
      if (pathWithin(place, push.repository) === push.repository.name.path) continue
      const source = await push.openPlace(place)
      await push.repository.upload(
        () => counted(source.read(blob), done => push.report?.(push.label, done, blob.size)),
        blob,
      )
      return blob
    }
  }
  return undefined
}

/** `HOST/PATH` → `PATH`, for the registry of the repository. */
function pathWithin(place: string, { name }: Pick<Repository, 'name'>): string | undefined {
  return place.startsWith(`${name.domain}/`) ? place.slice(name.domain.length + 1) : undefined
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (done: number, last: boolean) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0
  onBytes(0, false)
  for await (const bytes of source) {
    done += bytes.length
    yield bytes
    onBytes(done, false)
  }
  onBytes(done, true)
}
