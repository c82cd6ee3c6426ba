import { type Digest, digestOf, familiarReference, type ImageConfig, parseImageConfig } from '#oci'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import { openCliRegistries } from '../open-registries.ts'
import type { ImageFlags } from '../options/image-options.ts'
import { openPlacedImage, type PlaceElsewhere } from './open-place.ts'

/** What an image elsewhere says of itself. */
export interface PlaceDetails {
  /** Digest of its configuration. */
  readonly id: Digest
  readonly config: ImageConfig
  /** Bytes of each layer as it lies there, base first. */
  readonly layerSizes: readonly number[]
  /** Familiar names. */
  readonly names: readonly string[]
  /** Of the manifest, and of what the name stands for (the index, where there is one). */
  readonly manifest?: { readonly digest: Digest; readonly mediaType: string; readonly named: Digest }
}

/** Reads the configuration, and no layer; of a Docker archive the layers are read, as nothing else tells their sizes. */
export async function placeDetails(
  place: PlaceElsewhere,
  { store, flags, context }: { readonly store: Store; readonly flags: ImageFlags; readonly context: CliContext },
): Promise<PlaceDetails> {
  await using open = openCliRegistries(flags, context)
  const tools = { registries: open.registries, temporary: (name: string) => store.temporary(name), context }
  await using placed = await openPlacedImage(place, tools, flags.platform)
  const { image, remote } = placed
  const layerSizes = remote
    ? remote.manifest.layers.map(({ size }) => size)
    : await Promise.all(image.layers.map(layer => count(layer.open(), context.interrupts.signal)))
  return {
    id: digestOf(image.config),
    config: parseImageConfig(Buffer.from(image.config).toString('utf8')),
    layerSizes,
    names: image.references.filter(({ digest }) => digest === undefined).map(familiarReference),
    ...(remote && {
      manifest: { digest: remote.digest, mediaType: remote.manifest.mediaType, named: remote.named.digest },
    }),
  }
}

async function count(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  let size = 0
  for await (const bytes of source) {
    signal.throwIfAborted()
    size += bytes.length
  }
  return size
}
