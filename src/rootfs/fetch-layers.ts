import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { lockFile } from '#linux'
import { digestHex, type Digest } from '#oci'
import { isElsewhere, type LayerPlace, type LayerRecord, type Store, type UnpackedLayer } from '#store'
import type { Chain } from './chain-tree.ts'
import { canRebuild, rebuiltArchive } from './rebuilt-archive.ts'
import { archiveHere, takeArchive, type TakenArchive, takeUnpacked } from './take-layer.ts'
import type { LayerUnpacking } from './unpack-thread.ts'

/** Tells of one layer's download: compressed bytes so far, and how many there are. */
export type FetchReport = (layer: LayerRecord, done: number, total: number) => void

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onFetch?: FetchReport | undefined
  /** The directory is wanted: it is written while the archive comes, which is not kept then. */
  readonly unpacking?: () => Promise<LayerUnpacking | undefined>
}

/** Compressed bytes from which on a thread that unpacks is worth its start. */
const worthThread = 2 << 20

/** Downloads at once. */
const atOnce = 3

/** Lock files are never removed, so there are not more than this; two layers with the same one only wait in vain. */
const locks = 4096

/** Somebody needs the bytes of a layer that only a cache's record speaks of: it has to be made after all. */
export class LayerUnavailable extends Error {
  readonly layer: LayerRecord

  constructor(layer: LayerRecord, options?: ErrorOptions) {
    super(`the files of layer ${layer.id} are nowhere`, options)
    this.layer = layer
  }
}

function missing(layer: LayerRecord): UserError {
  return new UserError(`nobody is known to have the files of layer ${layer.diffId ?? layer.id} any more`, {
    hint: 'pull its image again',
  })
}

/**
 * The chain with bytes for every layer: those that are somewhere else are downloaded, several at a time; each is verified
 * (compressed digest and size, diff id), decompressed, indexed and written in one pass. Whole or absent: what came before an
 * error stays. Throws a `UserError` when a layer cannot be had.
 */
export async function fetchedChain(store: Store, chain: Chain, options: FetchOptions = {}): Promise<Chain> {
  const waiting = [...chain.entries()].filter(([, layer]) => {
    const known = store.layers.get(layer.id) ?? layer
    return isElsewhere(known) || isLost(store, known)
  })
  if (waiting.length === 0) return chain
  const out = [...chain]
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, layer] = next
      try {
        out[i] = await fetchedLayer(store, layer, { ...options, signal })
      } catch (error) {
        waiting.length = 0
        stop.abort(error)
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(atOnce, waiting.length) }, work))
  options.signal?.throwIfAborted()
  const failed = results.find(result => result.status === 'rejected')
  // The others were stopped by the first one that failed.
  if (failed) throw stop.signal.reason
  return out
}

/** Somebody removed the directory by hand; as long as there is a place that has the layer, it is fetched again. */
function isLost(store: Store, layer: LayerRecord): boolean {
  const { forms, diffId } = layer
  if (!forms.directory || forms.tar || diffId === undefined || existsSync(store.layers.directory(layer))) return false
  return store.layers.places(diffId).length > 0
}

/** One layer with bytes. What several processes want, one of them downloads. */
export async function fetchedLayer(store: Store, given: LayerRecord, options: FetchOptions = {}): Promise<LayerRecord> {
  const known = store.layers.get(given.id) ?? given
  if (!isElsewhere(known) && !isLost(store, known)) return known
  const { diffId } = known
  if (known.unavailable) throw new LayerUnavailable(known)
  if (diffId === undefined) throw missing(known)
  const slot = Number.parseInt(digestHex(diffId).slice(0, 8), 16) % locks
  using _ = await lockFile(join(store.directory('fetching'), slot.toString(16).padStart(3, '0')), 'exclusive', {
    ...(options.signal && { signal: options.signal }),
  })
  let now = store.layers.get(given.id) ?? known
  if (isLost(store, now)) now = store.layers.forgetDirectory(now.id)
  if (!isElsewhere(now)) return now
  const here = await archiveHere(store, diffId)
  if (here) return await store.layers.addTar(now.id, here)
  const fetched = await fetchLayer(store, { ...now, diffId }, options)
  return fetched.kind === 'archive'
    ? await store.layers.addTar(now.id, fetched.archive)
    : await store.layers.addUnpacked(now.id, fetched.unpacked)
}

type WithDiffId = LayerRecord & { readonly diffId: Digest }

/** What came, in one of two forms. */
type Fetched =
  | { readonly kind: 'archive'; readonly archive: TakenArchive }
  | { readonly kind: 'directory'; readonly unpacked: UnpackedLayer }

/** From the first place that gives it; a layer of this store that has the same archive is the nearest. */
async function fetchLayer(store: Store, layer: WithDiffId, options: FetchOptions): Promise<Fetched> {
  const twin = store.layers.findByDiffId(layer.diffId)
  if (twin && canRebuild(store, twin)) {
    const source = { name: `layer ${twin.id}`, size: twin.tarSize ?? 0, open: () => rebuiltArchive(store, twin) }
    try {
      return await takeFrom(store, layer, source, options)
    } catch {
      // It was changed, or this user may not read it.
      options.signal?.throwIfAborted()
    }
  }
  const failures: unknown[] = []
  for (const place of store.layers.places(layer.diffId)) {
    const { size } = place.blob
    const source = {
      name: `layer ${place.blob.digest} of ${place.repository}`,
      size,
      open: () => fromPlace(store, place, done => options.onFetch?.(layer, done, size)),
    }
    try {
      return await takeFrom(store, layer, source, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof UserError)) throw error
      failures.push(error)
    }
  }
  throw failed(layer, failures[0])
}

interface ArchiveSource {
  /** How errors call it. */
  readonly name: string
  /** Bytes that have to be moved. */
  readonly size: number
  /** The uncompressed archive from its start. */
  open(): AsyncIterable<Uint8Array>
}

async function takeFrom(
  store: Store,
  { diffId, tarSize }: WithDiffId,
  source: ArchiveSource,
  { signal, unpacking: openUnpacking }: FetchOptions,
): Promise<Fetched> {
  const { name, size } = source
  const options = { diffId, name, ...(tarSize !== undefined && { limit: tarSize }), signal }
  await using unpacking = size < worthThread ? undefined : await openUnpacking?.()
  const unpacked = unpacking && (await takeUnpacked(store, source.open(), { ...options, unpacking }))
  if (unpacked) return { kind: 'directory', unpacked }
  // Too small to be worth it, or not to be written from a stream: then what has come is asked for again.
  return { kind: 'archive', archive: await takeArchive(store, source.open(), options) }
}

/** The cause says which layer it is: who got it from a cache makes it anew. */
function failed(layer: LayerRecord, failure: unknown): UserError {
  const { message, hint, details } = failure instanceof UserError ? failure : missing(layer)
  return new UserError(message, { hint, details, cause: new LayerUnavailable(layer, { cause: failure }) })
}

async function* fromPlace(
  store: Store,
  { repository, blob }: LayerPlace,
  onBytes: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  const blobs = await store.openPlace(repository)
  let done = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    onBytes(0)
    for await (const chunk of blobs.read(blob)) {
      done += chunk.length
      yield chunk
      onBytes(done)
    }
  }
  yield* decompress(counted(), { name: `layer ${blob.digest} of ${repository}`, transient: true })
}
