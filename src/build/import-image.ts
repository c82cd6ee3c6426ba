import type { RemoteImage } from '#image'
import { chainId, type Digest, type ImageConfig, parseImageConfig } from '#oci'
import { packedLayer, takeArchive } from '#rootfs'
import { isElsewhere, type LayerRecord, type Store } from '#store'
import type { LayerTree } from '#tree'
import { writeLayer } from './write-layer.ts'

/** A layer that comes from outside, uncompressed. */
export interface IncomingLayer {
  /** What it must be; absent for a plain archive. */
  readonly diffId?: Digest
  open(): AsyncIterable<Uint8Array>
}

/**
 * Takes one layer into the store: written, hashed and indexed in one pass. A layer that is there is not read. Throws a
 * `UserError` when the bytes are not what the diff id says, or no archive.
 */
export async function importLayer(
  store: Store,
  layer: IncomingLayer,
  { below, created, signal, onBytes }: ImportOptions,
): Promise<LayerRecord> {
  const known = layer.diffId === undefined ? undefined : store.layers.get(layerId(below, layer.diffId))
  if (known && !isElsewhere(known)) return known
  const archive = await takeArchive(store, layer.open(), {
    ...(layer.diffId !== undefined && { diffId: layer.diffId }),
    signal,
    onBytes,
  })
  if (known) return store.layers.addTar(known.id, archive)
  const parent = below.at(-1)?.id
  return store.layers.add({
    id: layerId(below, archive.diffId),
    ...(parent !== undefined && { parent }),
    ...archive,
    created,
    tar: true,
  })
}

export interface ImportOptions {
  /** Layers already taken in, base first. */
  readonly below: readonly LayerRecord[]
  /** RFC 3339. */
  readonly created: string
  readonly signal: AbortSignal
  readonly onBytes?: (done: number) => void
}

/** Layers of images are named by chain id, so that images share them. */
function layerId(below: readonly LayerRecord[], diffId: Digest): string {
  const ids = below.flatMap(layer => (layer.diffId === undefined ? [] : [layer.diffId]))
  return chainId([...ids, diffId]) ?? diffId
}

export interface IncomingImage {
  readonly config: Uint8Array
  readonly layers: readonly IncomingLayer[]
}

/** Takes an image into the store, without a name; returns its id. Throws as `importLayer` does. */
export async function addImage(
  store: Store,
  image: IncomingImage,
  options: Pick<ImportOptions, 'signal' | 'onBytes'>,
): Promise<Digest> {
  const config: ImageConfig = parseImageConfig(Buffer.from(image.config).toString('utf8'))
  const times = config.history.filter(entry => entry.empty_layer !== true).map(entry => entry.created)
  const layers: LayerRecord[] = []
  for (const [i, layer] of image.layers.entries()) {
    const created = times[i] ?? config.created ?? '1970-01-01T00:00:00Z'
    layers.push(await importLayer(store, layer, { ...options, below: layers, created }))
  }
  const id = await store.blobs.put(image.config)
  store.images.add(
    id,
    layers.map(layer => layer.id),
  )
  return id
}

/** Takes an image of another place into the store without its layers, of which the places are kept; returns its id. */
export async function nameImage(store: Store, image: RemoteImage, repository: string): Promise<Digest> {
  const { config } = image
  const times = config.history.filter(entry => entry.empty_layer !== true).map(entry => entry.created)
  const diffIds = config.rootfs.diff_ids
  const id = await store.blobs.put(image.configBytes)
  const layers = diffIds.map((diffId, i) => {
    const blob = image.manifest.layers[i]
    const parent = chainId(diffIds.slice(0, i))
    const named = store.layers.name({
      id: chainId(diffIds.slice(0, i + 1)) ?? diffId,
      ...(parent !== undefined && { parent }),
      diffId,
      created: times[i] ?? config.created ?? '1970-01-01T00:00:00Z',
    })
    if (blob) store.layers.addPlace(diffId, repository, blob)
    return named.id
  })
  const known = store.images.get(id)
  // An image that was built here has its layers under other names, and with their bytes.
  if (!known?.layers.every(layer => store.layers.get(layer))) store.images.add(id, layers)
  store.layers.touch(layers)
  return id
}

/** A directory that becomes the only layer of an image: what a composed base is. */
export interface IncomingDirectory {
  /** On the store's file system; moved into it. */
  readonly directory: string
  /** Identity of the layer by what it was made from. */
  readonly key: string
  /** RFC 3339. */
  readonly created: string
  readonly config: (diffId: Digest) => Uint8Array
}

/** Takes a directory into the store as an image with one layer, without a name; returns its id. */
export async function addDirectoryImage(store: Store, incoming: IncomingDirectory): Promise<Digest> {
  const layer = await store.layers.add({
    id: store.layers.freshId(incoming.key),
    created: incoming.created,
    directory: incoming.directory,
  })
  const { diffId } = await packedLayer(store, [layer])
  const id = await store.blobs.put(incoming.config(diffId))
  store.images.add(id, [layer.id])
  return id
}

/** Entries that become the layers of an image: what a base of several layers, or one that was never on a disk, is. */
export interface IncomingTree {
  /** Base first. */
  readonly layers: readonly LayerTree[]
  /** RFC 3339. */
  readonly created: string
  readonly config: (diffIds: readonly Digest[]) => Uint8Array
  readonly signal: AbortSignal
}

/** Packs entries into the store as an image, without a name; returns its id. */
export async function addTreeImage(store: Store, incoming: IncomingTree): Promise<Digest> {
  const { created, signal } = incoming
  const below: LayerRecord[] = []
  const diffIds: Digest[] = []
  for (const entries of incoming.layers) {
    const { diffId, ...made } = await writeLayer(store, entries, { emptyTime: 0, signal })
    if (diffId === undefined) throw new Error('a packed layer has no diff id')
    const parent = below.at(-1)?.id
    const id = layerId(below, diffId)
    below.push(await store.layers.add({ ...made, id, diffId, created, ...(parent !== undefined && { parent }) }))
    diffIds.push(diffId)
  }
  const id = await store.blobs.put(incoming.config(diffIds))
  store.images.add(
    id,
    below.map(layer => layer.id),
  )
  return id
}
