import { type ContentSink, encodeEntries, packLayer } from '#layer'
import type { Store } from '#store'
import type { LayerTree } from '#tree'
import type { MadeLayer } from './step-kind.ts'

export interface WriteLayerOptions {
  /** Time of a layer without entries, in seconds since 1970. */
  readonly emptyTime: number
  readonly signal: AbortSignal
  readonly onBytes?: (bytes: number) => void
  readonly onContent?: ContentSink
}

/**
 * Packs entries into the store: one pass, each file read once. The layer's time is the newest modification time in it,
 * so that the same inputs give the same image, whenever they are built.
 */
export async function writeLayer(store: Store, entries: LayerTree, options: WriteLayerOptions): Promise<MadeLayer> {
  await using blob = await store.blobs.begin()
  let done = 0
  const sink = async (bytes: Uint8Array): Promise<void> => {
    await blob.write(bytes)
    done += bytes.length
    options.onBytes?.(done)
  }
  const packed = await packLayer(entries, sink, {
    signal: options.signal,
    ...(options.onContent && { onContent: options.onContent }),
  })
  const { digest } = await blob.commit()
  return {
    diffId: digest,
    tar: true,
    entries: encodeEntries(entries, packed.offsets),
    size: packed.size,
    tarSize: packed.tarSize,
    created: newest(entries, options.emptyTime),
  }
}

function newest(entries: LayerTree, emptyTime: number): string {
  let seconds = entries.length === 0 ? emptyTime : 0
  for (const entry of entries) if (entry.mtime.seconds > seconds) seconds = entry.mtime.seconds
  return new Date(seconds * 1000).toISOString()
}
