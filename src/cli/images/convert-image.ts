import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { addImage, chainOf, findImage } from '#build'
import {
  type ArchivedImage,
  type CompressionChoice,
  type ExportedImage,
  type ExportedLayer,
  type ImagePlace,
  type PushedImage,
  pushImages,
  writeDockerArchive,
  writeOciArchive,
  writeOciLayout,
} from '#image'
import { type Descriptor, type Digest, type Platform, parseReference, type Reference, Sha256 } from '#oci'
import type { Store } from '#store'
import type { TransferReport } from '../progress/tell-activity.ts'
import { exportedImage } from '../streams/exported-image.ts'
import { openDestination, writeStream } from '../streams/open-destination.ts'
import { pushedImage } from '../streams/pushed-image.ts'
import { openPlacedImage, type PlaceTools } from './open-place.ts'

export interface Conversion {
  readonly source: ImagePlace
  readonly destination: ImagePlace
  readonly flags: { readonly platform?: readonly Platform[] }
  readonly store: Store
  readonly tools: PlaceTools
  readonly report: TransferReport
  readonly packing: CompressionChoice
}

/**
 * Copies between places of which at least one knows configurations and layers only, no manifests. Gives the digest of the new manifest, or of
 * the configuration for a Docker archive and the store.
 */
export async function convertImage(conversion: Conversion): Promise<Digest> {
  const { source, store, tools } = conversion
  if (source.kind === 'store') {
    const record = findImage(store, source.name)
    const named = { id: record.id, chain: chainOf(store, record) }
    if (conversion.destination.kind === 'registry') return push(await pushedImage(store, named), conversion)
    return write(await exportedImage(store, { ...named, references: [] }), conversion)
  }
  await using placed = await openPlacedImage(source, tools, conversion.flags.platform?.[0])
  const { image } = placed
  switch (conversion.destination.kind) {
    case 'store':
      return await intoStore(image, conversion)
    case 'registry':
      return await push(image, conversion)
    default:
      return await write(await spooled(image, conversion), conversion)
  }
}

async function intoStore(image: ArchivedImage, { destination, store, tools, report }: Conversion): Promise<Digest> {
  const reference = parseReference((destination as Extract<ImagePlace, { kind: 'store' }>).name)
  const { signal } = tools.context.interrupts
  const id = await addImage(store, image, { signal, onBytes: done => report('layers', done) })
  store.images.tag(reference, id)
  return id
}

async function push(image: PushedImage, { destination, store, tools, packing, report }: Conversion): Promise<Digest> {
  const { domain, path, tag } = (destination as Extract<ImagePlace, { kind: 'registry' }>).reference
  const { digest } = await pushImages([image], {
    repository: tools.registries.repository({ domain, path }),
    tags: tag === undefined ? [] : [tag],
    packing,
    forms: store.layers,
    openPlace: place => store.openPlace(place),
    report,
    signal: tools.context.interrupts.signal,
  })
  return digest
}

/** Layers of which the sizes are known, since they lie on the disk. */
async function spooled(image: ArchivedImage, { tools, report }: Conversion): Promise<ExportedImage> {
  const directory = await tools.temporary('layers')
  await mkdir(directory)
  const layers: ExportedLayer[] = []
  for (const [i, layer] of image.layers.entries()) {
    const path = join(directory, String(i))
    const hash = new Sha256()
    await using file = await open(path, 'wx', 0o600)
    for await (const bytes of layer.open()) {
      tools.context.interrupts.signal.throwIfAborted()
      hash.update(bytes)
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
      report(`layer ${i + 1} of ${image.layers.length}`, hash.size)
    }
    const size = hash.size
    layers.push({ diffId: layer.diffId, size, open: () => createReadStream(path, { highWaterMark: 1 << 18 }) })
  }
  return { config: image.config, layers, references: image.references }
}

async function write(image: ExportedImage, { source, destination, tools, packing }: Conversion): Promise<Digest> {
  const { context } = tools
  const { compression, level } = packing
  const options = { compression, ...(level !== undefined && { level }) }
  if (destination.kind === 'layout') {
    const named = { ...image, ...layoutName(destination) }
    const [manifest] = await writeOciLayout([named], {
      directory: resolve(context.directory, destination.path),
      ...options,
    })
    return (manifest as Descriptor).digest
  }
  if (destination.kind !== 'oci-archive' && destination.kind !== 'docker-archive') throw new Error('written elsewhere')
  await using file = await openDestination(destination.path, context)
  const scratch = await tools.temporary('export')
  await mkdir(scratch)
  let manifest: Descriptor | undefined
  const onManifests = ([first]: readonly Descriptor[]): void => {
    manifest = first
  }
  const bytes =
    destination.kind === 'oci-archive'
      ? writeOciArchive([{ ...image, ...layoutName(destination) }], { ...options, scratch, onManifests })
      : writeDockerArchive([{ ...image, references: dockerName(source, destination) }], { onManifests })
  await writeStream(bytes, file, context.interrupts.signal)
  await file.finish()
  return (manifest as Descriptor | undefined)?.digest as Digest
}

/** By the tag alone, as skopeo names images in layouts; a whole name where one is given. */
function layoutName({
  choice,
}: Extract<ImagePlace, { kind: 'layout' | 'oci-archive' }>): Pick<
  ExportedImage,
  'references' | 'descriptorAnnotations'
> {
  const tag = choice?.tag
  if (tag === undefined) return { references: [] }
  if (/[/:]/.test(tag)) return { references: [parseReference(tag)] }
  return { references: [], descriptorAnnotations: { 'org.opencontainers.image.ref.name': tag } }
}

/** The name that is given, else that of the source. */
function dockerName(
  source: ImagePlace,
  { name }: Extract<ImagePlace, { kind: 'docker-archive' }>,
): readonly Reference[] {
  if (name !== undefined) return [name]
  if (source.kind === 'registry' && source.reference.tag !== undefined) return [source.reference]
  if (source.kind !== 'store' || /^(sha256:)?[0-9a-f]{12,64}$/.test(source.name)) return []
  return [parseReference(source.name)]
}
