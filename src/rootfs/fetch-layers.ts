import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { lockFile } from '#linux'
import { digestHex, type Digest } from '#oci'
import { isElsewhere, type LayerPlace, type LayerRecord, type Store } from '#store'
import type { Chain } from './chain-tree.ts'
import { archiveHere, takeArchive, type TakenArchive } from './take-layer.ts'
import type { LayerUnpacking } from './unpack-thread.ts'

/** Tells of one layer's download: compressed bytes so far, and how many there are. */
export type FetchReport = (layer: LayerRecord, done: number, total: number) => void

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onFetch?: FetchReport | undefined
  /** The directory is wanted, too: it is written while the archive comes. */
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
  const waiting = [...chain.entries()].filter(([, layer]) => isElsewhere(store.layers.get(layer.id) ?? layer))
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

/** One layer with bytes. What several processes want, one of them downloads. */
export async function fetchedLayer(store: Store, given: LayerRecord, options: FetchOptions = {}): Promise<LayerRecord> {
  const known = store.layers.get(given.id) ?? given
  if (!isElsewhere(known)) return known
  const { diffId } = known
  if (known.unavailable) throw new LayerUnavailable(known)
  if (diffId === undefined) throw missing(known)
  const slot = Number.parseInt(digestHex(diffId).slice(0, 8), 16) % locks
  using _ = await lockFile(join(store.directory('fetching'), slot.toString(16).padStart(3, '0')), 'exclusive', {
    ...(options.signal && { signal: options.signal }),
  })
  const now = store.layers.get(given.id) ?? known
  if (!isElsewhere(now)) return now
  const here = await archiveHere(store, diffId)
  if (here) return store.layers.addTar(now.id, here)
  const { archive, directory } = await fetchArchive(store, { ...now, diffId }, options)
  const layer = await store.layers.addTar(now.id, archive)
  return directory === undefined ? layer : store.layers.addDirectory(layer.id, directory)
}

interface Fetched {
  readonly archive: TakenArchive
  readonly directory?: string | undefined
}

type WithDiffId = LayerRecord & { readonly diffId: Digest }

/** From the first place that gives it. */
async function fetchArchive(
  store: Store,
  layer: WithDiffId,
  { signal, onFetch, unpacking: openUnpacking }: FetchOptions,
): Promise<Fetched> {
  const places = store.layers.places(layer.diffId)
  const failures: unknown[] = []
  for (const place of places) {
    try {
      await using unpacking = place.blob.size < worthThread ? undefined : await openUnpacking?.()
      const archive = await takeArchive(
        store,
        fromPlace(store, place, done => onFetch?.(layer, done, place.blob.size)),
        {
          diffId: layer.diffId,
          name: `layer ${place.blob.digest} of ${place.repository}`,
          ...(layer.tarSize !== undefined && { limit: layer.tarSize }),
          signal,
          unpacking,
        },
      )
      return { archive, directory: await unpacking?.finish() }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof UserError)) throw error
      failures.push(error)
    }
  }
  throw failed(layer, failures[0])
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
  yield* decompress(counted(), { name: `layer ${blob.digest} of ${repository}` })
}
