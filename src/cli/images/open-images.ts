import { mkdir } from 'node:fs/promises'
import { archivedImage, type ReadableImage, storeImage } from '#analyze'
import { chainOf, fetchReport, imageConfig, nameImage } from '#build'
import type { RemoteImage } from '#image'
import { type ImageConfig, parseImageConfig, type Reference } from '#oci'
import { fetchedChain, openLayerTar } from '#rootfs'
import type { ImageRecord, Store } from '#store'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { type CliRegistries, openCliRegistries } from '../open-registries.ts'
import type { ImageFlags } from '../options/image-options.ts'
import { idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { type NamedPlace, namedPlace } from './named-place.ts'
import { openPlacedImage, type PlacedImage, type PlaceElsewhere } from './open-place.ts'
import { stageImages } from './stage-images.ts'
import { storedImage } from './stored-image.ts'

/** An image of the command line, its layers unread. */
export interface OpenImage {
  /** What its name meant. */
  readonly place: NamedPlace
  readonly config: ImageConfig
  /** Base first; each gives the uncompressed archive. Those that the store has are not read anywhere else. */
  readonly layers: readonly { open(): AsyncIterable<Uint8Array> }[]
  /** For looking at entries. What has to be downloaded of a registry is kept in the store, without a name, unless `keep` is false. */
  readable(how?: { readonly keep: boolean }): Promise<ReadableImage>
}

/** The store, and what names mean. */
export interface OpenImages {
  readonly store: Store
  /** Opens what a name means; closed when `work` ends. */
  readonly open: (name: string) => Promise<OpenImage>
}

/**
 * Does `work` with images that the command line names as `namedPlace` understands them; stages of Dockerfiles are built first.
 * Layers that lie unpacked under mapped owners are read inside a user namespace.
 */
export async function withImages(
  names: readonly string[],
  { options, context }: { readonly options: ImageFlags; readonly context: CliContext },
  work: (images: OpenImages) => Promise<number>,
): Promise<number> {
  const places = new Map<string, NamedPlace>()
  let needsNamespace = false
  await withStore(context, async store => {
    for (const name of names) {
      const place = await namedPlace(name, { store, context })
      places.set(name, place)
      if (place.kind === 'stage') needsNamespace = true
      if (place.kind !== 'store') continue
      const record = await storedImage(store, place.name, options.platform)
      needsNamespace ||= isUnpacked(chainOf(store, record))
    }
  })
  const inner = await enterNamespace(context, needsNamespace)
  if (inner !== undefined) return inner
  const stages = await stageImages(names, options, context)
  const read = async (store: Store): Promise<number> => {
    await using stack = new AsyncDisposableStack()
    const opening = { store, options, context, stages, stack, registries: connector(stack, options, context) }
    const placeOf = async (name: string): Promise<NamedPlace> =>
      places.get(name) ?? (await namedPlace(name, { store, context }))
    return await work({ store, open: async name => openImage(await placeOf(name), opening) })
  }
  return withStore(context, read, options)
}

interface Opening {
  readonly store: Store
  readonly options: ImageFlags
  readonly context: CliContext
  /** Ids of stages that were built, by what was written. */
  readonly stages: ReadonlyMap<string, string>
  /** Closed when the work ends. */
  readonly stack: AsyncDisposableStack
  readonly registries: () => CliRegistries['registries']
}

/** One connection for all images, opened with the first of a registry. */
function connector(stack: AsyncDisposableStack, options: ImageFlags, context: CliContext): Opening['registries'] {
  let connected: CliRegistries | undefined
  return () => (connected ??= stack.use(openCliRegistries(options, context))).registries
}

async function openImage(place: NamedPlace, opening: Opening): Promise<OpenImage> {
  const { store, options, stages } = opening
  if (place.kind === 'store') return ofStore(await storedImage(store, place.name, options.platform), place, store)
  if (place.kind === 'stage') return ofStore(await storedImage(store, stages.get(place.text) ?? ''), place, store)
  return ofPlace(place, opening)
}

async function ofStore(record: ImageRecord, place: NamedPlace, store: Store): Promise<OpenImage> {
  const chain = chainOf(store, record)
  return {
    place,
    config: await imageConfig(store, record.id),
    layers: chain.map((_, i) => ({ open: () => openLayerTar(store, chain.slice(0, i + 1)) })),
    readable: () => storeImage(store, record, place.text),
  }
}

async function ofPlace(place: PlaceElsewhere, opening: Opening): Promise<OpenImage> {
  const { store, context, options, stack } = opening
  const temporary = (name: string): Promise<string> => store.temporary(name)
  const tools = {
    get registries() {
      return opening.registries()
    },
    temporary,
    context,
  }
  const placed = stack.use(await openPlacedImage(place, tools, options.platform))
  const { image, remote } = placed
  return {
    place,
    config: parseImageConfig(Buffer.from(image.config).toString('utf8')),
    layers: image.layers.map(layer => {
      const known = store.layers.findByDiffId(layer.diffId)
      return known?.forms.tar ? { open: () => openLayerTar(store, [known]) } : layer
    }),
    readable: ({ keep } = { keep: true }) =>
      keep && place.kind === 'registry' && remote ? kept(remote, place, opening) : spooled(placed, place, opening),
  }
}

/** Layers that the store has are not downloaded, and those that come are kept; it gets no name, and none changes its meaning. */
async function kept(
  remote: RemoteImage,
  { text, reference }: { readonly text: string; readonly reference: Reference },
  { store, context }: Opening,
): Promise<ReadableImage> {
  const { domain, path } = reference
  const id = await nameImage(store, remote, `${domain}/${path}`)
  const record = await storedImage(store, id)
  await withProgress('auto', context, progress => {
    const teller = { progress, nextId: idCounter(), now: context.now }
    return tellActivity(teller, `reading ${text}`, report =>
      fetchedChain(store, chainOf(store, record), {
        signal: context.interrupts.signal,
        onFetch: fetchReport(({ label, done, total }) => report(label, done, total)),
      }),
    )
  })
  return withCompressedSizes(await storeImage(store, record, text), remote)
}

/** Layers of archives are written, uncompressed, into a temporary directory, each when it is first asked for. */
async function spooled(
  { image, remote }: PlacedImage,
  { text }: NamedPlace,
  { store, context }: Opening,
): Promise<ReadableImage> {
  const scratch = await store.temporary('image')
  await mkdir(scratch)
  const readable = await archivedImage(image, text, { store, scratch, signal: context.interrupts.signal })
  return remote ? withCompressedSizes(readable, remote) : readable
}

function withCompressedSizes(image: ReadableImage, { manifest }: RemoteImage): ReadableImage {
  return {
    ...image,
    layers: image.layers.map((layer, i) => {
      const blob = manifest.layers[i]
      const isCompressed = blob !== undefined && /[+.](gzip|zstd)$/.test(blob.mediaType)
      return isCompressed ? { ...layer, compressedSize: blob.size } : layer
    }),
  }
}
