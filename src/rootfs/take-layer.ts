import { UserError } from '#diagnostics'
import { createLayerIndexer, encodeEntries } from '#layer'
import type { Digest } from '#oci'
import type { LayerRecord, NewLayer, Store } from '#store'
import type { Entry } from '#tree'
import type { LayerUnpacking } from './unpack-thread.ts'

/** What a layer's archive has to be, and who is told about it. */
export interface TakingOptions {
  /** Absent for a plain archive, of which nothing is known. */
  readonly diffId?: Digest
  /** Bytes that the archive may have at most. */
  readonly limit?: number
  /** How errors call it. */
  readonly name?: string
  readonly signal?: AbortSignal | undefined
  /** Told how many bytes of the archive have come. */
  readonly onBytes?: ((done: number) => void) | undefined
  /** Gets the members as soon as their bytes are on the disk. */
  readonly unpacking?: LayerUnpacking | undefined
}

/** Members that are handed on at once. */
const batchSize = 64

/** An archive that was taken into the store; no layer speaks of it yet. */
export type TakenArchive = Required<Pick<NewLayer, 'diffId' | 'size' | 'tarSize' | 'entries'>>

/**
 * Takes a layer's uncompressed archive into the store: written, hashed and indexed in one pass. Throws a `UserError` when
 * the bytes are not what the diff id says, are more than the limit, or are no archive.
 */
export async function takeArchive(
  store: Store,
  archive: AsyncIterable<Uint8Array>,
  { diffId, limit, name = 'layer', signal, onBytes, unpacking }: TakingOptions,
): Promise<TakenArchive> {
  await using blob = await store.blobs.begin()
  const path = unpacking?.readFrom(blob.path) ?? blob.path
  let ready: Entry[] = []
  const onEntry = (entry: Entry, offset: number): void => {
    ready.push(entry.type === 'file' ? { ...entry, source: { kind: 'range', path, offset } } : entry)
  }
  const handOn = (least: number): void => {
    if (ready.length < least) return
    unpacking?.write(ready)
    ready = []
  }
  const indexer = createLayerIndexer({ name, whiteouts: true, ...(unpacking && { onEntry }) })
  let done = 0
  for await (const chunk of archive) {
    signal?.throwIfAborted()
    done += chunk.length
    if (limit !== undefined && done > limit) {
      throw new UserError(`${name} has more than the ${limit} bytes that it should have, uncompressed`, {
        hint: 'the image or cache is damaged, or made to do harm; fetch it from somewhere else',
      })
    }
    indexer.push(chunk)
    await blob.write(chunk)
    handOn(batchSize)
    onBytes?.(done)
  }
  const entries = indexer.finish(blob.path)
  handOn(1)
  if (diffId !== undefined && blob.digestNow() !== diffId) {
    throw new UserError(`${name} has diff id ${blob.digestNow()}, its image says ${diffId}`, {
      hint: 'the image is damaged; fetch it again',
    })
  }
  const { digest } = await blob.commit()
  const size = entries.reduce((sum, entry) => (entry.type === 'file' ? sum + entry.size : sum), 0)
  return { diffId: digest, size, tarSize: done, entries: encodeEntries(entries) }
}

/** A layer that has the same archive, under another name; its entries serve as well. */
export async function archiveHere(store: Store, diffId: Digest): Promise<TakenArchive | undefined> {
  const twin: LayerRecord | undefined = store.layers.findWithTar(diffId)
  if (twin?.size === undefined || twin.tarSize === undefined || !store.blobs.exists(diffId)) return undefined
  return { diffId, size: twin.size, tarSize: twin.tarSize, entries: [await store.layers.readEntries(twin)] }
}
