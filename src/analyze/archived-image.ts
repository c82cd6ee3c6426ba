import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArchivedImage, ArchivedLayer } from '#image'
import { createLayerIndexer } from '#layer'
import { type Digest, digestOf, parseImageConfig } from '#oci'
import { layerEntries } from '#rootfs'
import { isElsewhere, type Store } from '#store'
import type { LayerTree } from '#tree'
import { findBase } from './image-base.ts'
import type { ReadableImage, ReadableLayer } from './readable-image.ts'

/** Where to look besides the archive, and where to put what must be read twice. */
export interface ArchivePlaces {
  /** Layers that it has are not read from the archive. */
  readonly store: Store
  /** A directory for uncompressed layers; what is in it must live as long as the image is read. */
  readonly scratch: string
  readonly signal: AbortSignal
}

/** An image of an archive or layout. Each layer is read once, when its entries are first asked for. */
export async function archivedImage(
  archived: ArchivedImage,
  name: string,
  places: ArchivePlaces,
): Promise<ReadableImage> {
  const config = parseImageConfig(Buffer.from(archived.config).toString('utf8'))
  const image = {
    name,
    id: digestOf(archived.config),
    config,
    layers: archived.layers.map(layer => readableLayer(layer, places)),
  }
  return { ...image, base: await findBase(image, places.store) }
}

function readableLayer(layer: ArchivedLayer, places: ArchivePlaces): ReadableLayer {
  let entries: Promise<LayerTree> | undefined
  return {
    diffId: layer.diffId,
    entries: () => (entries ??= entriesInStore(layer.diffId, places.store) ?? spoolLayer(layer, places)),
  }
}

/** Layers with the same diff id are the same, whichever image the store has them from. */
function entriesInStore(diffId: Digest, store: Store): Promise<LayerTree> | undefined {
  const layer = store.layers.findByDiffId(diffId)
  return layer && layer.forms.entries && !isElsewhere(layer) ? layerEntries(store, [layer]) : undefined
}

/** Writes the uncompressed layer beside the others, so that single files can be read from it. */
async function spoolLayer(layer: ArchivedLayer, { scratch, signal }: ArchivePlaces): Promise<LayerTree> {
  const path = join(scratch, `layer-${randomUUID()}`)
  const indexer = createLayerIndexer({ name: `layer ${layer.diffId}`, whiteouts: true })
  try {
    await using file = await open(path, 'wx', 0o600)
    for await (const bytes of layer.open()) {
      signal.throwIfAborted()
      indexer.push(bytes)
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return indexer.finish(path)
}
