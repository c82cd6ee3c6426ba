import { type Blobs, type Descriptor, type Digest, digestOf, type Manifests, mediaTypes } from '#oci'
import { type Chain, openLayerTar, packedLayer } from '#rootfs'
import { type CacheRecord, isElsewhere, type LayerId, type LayerRecord, type Store } from '#store'
import type { BuiltImage } from '../build-image.ts'
import { cachedStore } from './cached-store.ts'
import { type CachedLayer, cacheType, type CacheRecords, encodeInline, inlineKey, recordsType } from './cache-format.ts'
import type { PackedMount } from './mount-archives.ts'
import type { OpenedCache } from './open-cache.ts'

/** A layer or mount whose archive a cache has to have. */
export interface CacheArchive {
  readonly diffId: Digest
  /** Bytes of the uncompressed archive, where known. */
  readonly size?: number
  /** Its bytes are not here. */
  readonly elsewhere: boolean
  open(): AsyncIterable<Uint8Array>
}

/** Where a cache goes. */
export interface CacheTarget {
  readonly repository: Blobs & Manifests
  readonly tag: string
  /** Sees to it that the repository has the archives, compressed; gives the blobs by diff id. */
  publishArchives(archives: readonly CacheArchive[]): Promise<ReadonlyMap<Digest, Descriptor>>
}

export interface CacheContents {
  readonly store: Store
  /** One for each platform. */
  readonly images: readonly BuiltImage[]
  /** What the build began with: what it did not need the bytes of is passed on by name. */
  readonly caches: readonly OpenedCache[]
  /** Bytes of the layers of the results, or of all stages; records of all stages in both. */
  readonly mode: 'min' | 'max'
  readonly signal: AbortSignal
}

/** A layer of a build with the chain up to it. */
interface BuiltLayer {
  readonly layer: LayerRecord
  readonly chain: Chain
}

/**
 * Writes what a build knows as a cache (docs/cache.md) and gives the descriptor of its manifest. The tag is set when everything it
 * needs is there, in place of what it named before.
 */
export async function exportCache(
  contents: CacheContents,
  target: CacheTarget,
  mounts: readonly PackedMount[] = [],
): Promise<Descriptor> {
  const { repository, tag } = target
  const { layers, archives } = await layersOf(contents)
  const needed = [...archives.values(), ...mounts.map(mountArchive)]
  const blobs = await target.publishArchives(needed)
  // In the order of the layers, so that the same build gives the same cache.
  const all = [...new Set(needed.flatMap(({ diffId }) => blobs.get(diffId) ?? []))]
  const at = (diffId: Digest | undefined): number =>
    all.findIndex(blob => diffId !== undefined && blob === blobs.get(diffId))
  const records = recordsOf(contents, layers, layer => (archives.has(layer.id) ? at(layer.diffId) : -1), {
    mounts: mounts.map(packed => {
      const { open: _, ...mount } = packed
      return { ...mount, blob: at(mount.diffId) }
    }),
  })
  const config = Buffer.from(JSON.stringify(records))
  const configBlob = { mediaType: recordsType, digest: digestOf(config), size: config.length }
  if (!(await repository.has(configBlob))) await repository.write(configBlob, once(config))
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: cacheType,
    config: configBlob,
    layers: all,
  }
  return repository.publish({ mediaType: mediaTypes.ociManifest, bytes: Buffer.from(JSON.stringify(manifest)) }, tag)
}

/**
 * The annotation that makes a cache of an image's own manifest: records of everything, and the positions of its layers. The bytes
 * of the image's configuration, and so its id, are the same with and without.
 */
export function inlineCache(
  contents: Omit<CacheContents, 'mode' | 'images'>,
  image: BuiltImage,
): Readonly<Record<string, string>> {
  const layers = builtLayers([image]).map(({ layer }) => current(contents.store, layer))
  const position = (layer: LayerRecord): number => image.chain.findIndex(each => each.id === layer.id)
  const records = recordsOf({ ...contents, images: [image] }, layers, position, { mounts: [] })
  return { [inlineKey]: encodeInline(records) }
}

async function layersOf({ store, images, mode, signal }: CacheContents): Promise<{
  readonly layers: readonly LayerRecord[]
  readonly archives: ReadonlyMap<LayerId, CacheArchive>
}> {
  const results = new Set(images.flatMap(image => image.chain.map(({ id }) => id)))
  const layers: LayerRecord[] = []
  const archives = new Map<LayerId, CacheArchive>()
  for (const { layer: built, chain } of builtLayers(images)) {
    let layer = current(store, built)
    if (!layer.unavailable && (mode === 'max' || results.has(layer.id))) {
      layer = await packedLayer(store, chain, signal)
      archives.set(layer.id, archiveOf(store, layer, chain))
    }
    layers.push(layer)
  }
  return { layers, archives }
}

function archiveOf(store: Store, layer: LayerRecord, chain: Chain): CacheArchive {
  return {
    diffId: layer.diffId as Digest,
    ...(layer.tarSize !== undefined && { size: layer.tarSize }),
    elsewhere: isElsewhere(layer),
    open: () => openLayerTar(store, chain),
  }
}

function mountArchive({ diffId, tarSize, open }: PackedMount): CacheArchive {
  return { diffId, size: tarSize, elsewhere: false, open }
}

/** What steps made, and what clamping made of it; each layer once. Layers of base images are not among them. */
function builtLayers(images: readonly BuiltImage[]): readonly BuiltLayer[] {
  const found = new Map<LayerId, BuiltLayer>()
  for (const image of images) {
    for (const { layer, chain } of image.steps) found.set(layer.id, { layer, chain })
    for (const [i, layer] of image.chain.entries()) {
      if (i >= image.baseLayers && !found.has(layer.id))
        found.set(layer.id, { layer, chain: image.chain.slice(0, i + 1) })
    }
  }
  return [...found.values()]
}

/** More may be known by now than when the step ended. */
function current(store: Store, layer: LayerRecord): LayerRecord {
  return layer.unavailable ? layer : { ...layer, ...store.layers.get(layer.id), created: layer.created }
}

/** `position`: of a layer's blob in the manifest; -1 for none. */
function recordsOf(
  { store, caches }: Pick<CacheContents, 'store' | 'caches'> & { readonly images: readonly BuiltImage[] },
  layers: readonly LayerRecord[],
  position: (layer: LayerRecord) => number,
  { mounts }: Pick<CacheRecords, 'mounts'>,
): CacheRecords {
  const { records } = cachedStore(store, caches).store
  const entries: (CacheRecord & { readonly layer: number })[] = layers.flatMap((layer, i) =>
    records.ofLayer(layer.id).map(({ key, family, inputs }) => ({
      key,
      layer: i,
      ...(family !== undefined && { family }),
      inputs,
    })),
  )
  return { version: 1, layers: layers.map(layer => cachedLayer(layer, position(layer))), records: entries, mounts }
}

function cachedLayer({ id, parent, diffId, size, tarSize, created }: LayerRecord, blob: number): CachedLayer {
  return {
    id,
    ...(parent !== undefined && { parent }),
    ...(diffId !== undefined && { diffId }),
    ...(size !== undefined && { size }),
    ...(tarSize !== undefined && { tarSize }),
    created,
    ...(blob >= 0 && { blob }),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
