import { createReadStream, existsSync } from 'node:fs'
import { decodeContents, rebuildArchive } from '#layer'
import type { LayerRecord, Store } from '#store'

/** Whether the layer is kept as a directory and the skeleton of its archive, which together give the archive. */
export function canRebuild(store: Store, layer: LayerRecord): boolean {
  const { directory, entries } = layer.forms
  return directory && entries && existsSync(store.layers.skeleton(layer))
}

/** The archive of such a layer. Throws a `UserError` when a file was changed; the whole is the caller's to verify. */
export async function* rebuiltArchive(store: Store, layer: LayerRecord): AsyncGenerator<Uint8Array> {
  const contents = decodeContents(await store.layers.readEntries(layer), store.layers.directory(layer))
  yield* rebuildArchive(createReadStream(store.layers.skeleton(layer)) as AsyncIterable<Uint8Array>, contents)
}
