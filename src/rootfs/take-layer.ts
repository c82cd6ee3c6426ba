import { closeSync, openSync, writeSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { createLayerIndexer, createSkeletonWriter, encodeEntries } from '#layer'
import { type Digest, Sha256 } from '#oci'
import type { LayerRecord, NewLayer, Store, UnpackedLayer } from '#store'
import type { Entry, LayerTree } from '#tree'
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
}

/** An archive that was taken into the store; no layer speaks of it yet. */
export type TakenArchive = Required<Pick<NewLayer, 'diffId' | 'size' | 'tarSize' | 'entries'>>

/**
 * Takes a layer's uncompressed archive into the store: written, hashed and indexed in one pass. Throws a `UserError` when
 * the bytes are not what the diff id says, are more than the limit, or are no archive.
 */
export async function takeArchive(
  store: Store,
  archive: AsyncIterable<Uint8Array>,
  options: TakingOptions,
): Promise<TakenArchive> {
  await using blob = await store.blobs.begin()
  const indexer = createLayerIndexer({ name: options.name ?? 'layer', whiteouts: true })
  let tarSize = 0
  for await (const chunk of checked(archive, options)) {
    tarSize += chunk.length
    indexer.push(chunk)
    await blob.write(chunk)
  }
  const entries = indexer.finish(blob.path)
  requireDiffId(blob.digestNow(), options)
  const { digest } = await blob.commit()
  return { diffId: digest, size: contentSize(entries), tarSize, entries: encodeEntries(entries) }
}

/**
 * Takes it as a directory, which another thread writes from the members as they come; of the archive only the skeleton is kept.
 * Undefined, and nothing kept, when the stream is not enough to write the directory. Throws as `takeArchive` does.
 */
export async function takeUnpacked(
  store: Store,
  archive: AsyncIterable<Uint8Array>,
  { unpacking, ...options }: TakingOptions & { readonly unpacking: LayerUnpacking },
): Promise<UnpackedLayer | undefined> {
  const hash = new Sha256()
  using file = await openSkeletonFile(store)
  const skeleton = createSkeletonWriter(bytes => file.write(bytes))
  let members: Entry[] = []
  const onEntry = (entry: Entry, offset: number): void => {
    if (entry.type === 'file') skeleton.cut(offset, entry.size)
    members.push(entry.type === 'file' ? { ...entry, source: { kind: 'range', path: '', offset } } : entry)
  }
  const indexer = createLayerIndexer({ name: options.name ?? 'layer', whiteouts: true, onEntry })
  for await (const chunk of checked(archive, options)) {
    indexer.push(chunk)
    const told = members
    members = []
    const written = unpacking.write(chunk, told)
    hash.update(chunk)
    skeleton.push(chunk)
    if (!(await written)) return undefined
  }
  const entries = indexer.finish('')
  requireDiffId(hash.digest(), options)
  skeleton.finish()
  const directory = await unpacking.finish()
  if (directory === undefined) return undefined
  const { size: tarSize } = hash
  return { directory, skeleton: file.path, size: contentSize(entries), tarSize, entries: encodeEntries(entries) }
}

interface SkeletonFile extends Disposable {
  /** Temporary; gone with the session where nobody renames it. */
  readonly path: string
  write(bytes: Uint8Array): void
}

async function openSkeletonFile(store: Store): Promise<SkeletonFile> {
  const path = await store.temporary('skeleton')
  const fd = openSync(path, 'wx', 0o644)
  return {
    path,
    write: bytes => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

async function* checked(
  archive: AsyncIterable<Uint8Array>,
  { limit, name = 'layer', signal, onBytes }: TakingOptions,
): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const chunk of archive) {
    signal?.throwIfAborted()
    done += chunk.length
    if (limit !== undefined && done > limit) {
      throw new UserError(`${name} has more than the ${limit} bytes that it should have, uncompressed`, {
        hint: 'the image or cache is damaged, or made to do harm; fetch it from somewhere else',
      })
    }
    yield chunk
    onBytes?.(done)
  }
}

function requireDiffId(found: Digest, { diffId, name = 'layer' }: TakingOptions): void {
  if (diffId === undefined || found === diffId) return
  throw new UserError(`${name} has diff id ${found}, its image says ${diffId}`, {
    hint: 'the image is damaged; fetch it again',
  })
}

function contentSize(entries: LayerTree): number {
  return entries.reduce((sum, entry) => (entry.type === 'file' ? sum + entry.size : sum), 0)
}

/** A layer that has the same archive, under another name; its entries serve as well. */
export async function archiveHere(store: Store, diffId: Digest): Promise<TakenArchive | undefined> {
  const twin: LayerRecord | undefined = store.layers.findWithTar(diffId)
  if (twin?.size === undefined || twin.tarSize === undefined || !store.blobs.exists(diffId)) return undefined
  return { diffId, size: twin.size, tarSize: twin.tarSize, entries: [await store.layers.readEntries(twin)] }
}
