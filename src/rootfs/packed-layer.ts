import { encodeEntries, packLayer } from '#layer'
import { type Digest, Sha256 } from '#oci'
import type { LayerRecord, Store } from '#store'
import { type Chain, layerEntries } from './chain-tree.ts'
import { fetchedLayer } from './fetch-layers.ts'
import { canRebuild, rebuiltArchive } from './rebuilt-archive.ts'

/**
 * The topmost layer of a chain with its diff id known. A layer that only has a directory is packed once to learn it; the
 * archive itself is not kept, as packing again gives the same bytes.
 */
export async function packedLayer(
  store: Store,
  chain: Chain,
  signal?: AbortSignal,
): Promise<LayerRecord & { readonly diffId: Digest }> {
  const given = chain.at(-1) as LayerRecord
  const layer = store.layers.get(given.id) ?? given
  if (layer.diffId !== undefined) return { ...layer, diffId: layer.diffId }
  const hash = new Sha256()
  const entries = await layerEntries(store, chain)
  const packed = await packLayer(entries, async bytes => void hash.update(bytes), signal ? { signal } : {})
  const diffId = hash.digest()
  await store.layers.addEntries(layer.id, encodeEntries(entries), packed.size)
  return { ...store.layers.setDiffId(layer.id, diffId, packed.tarSize), diffId }
}

/** The topmost layer's archive, uncompressed. Throws at the end when it is not what its diff id says. */
export async function* openLayerTar(store: Store, chain: Chain): AsyncGenerator<Uint8Array> {
  const packed = await packedLayer(store, chain)
  const layer = { ...packed, ...(await fetchedLayer(store, packed)) }
  const hash = new Sha256()
  for await (const chunk of archiveBytes(store, layer, chain)) {
    hash.update(chunk)
    yield chunk
  }
  if (hash.digest() !== layer.diffId)
    throw new Error(`layer ${layer.id} does not pack to its diff id ${layer.diffId}: its directory was changed`)
}

function archiveBytes(
  store: Store,
  layer: LayerRecord & { readonly diffId: Digest },
  chain: Chain,
): AsyncGenerator<Uint8Array> {
  if (layer.forms.tar) return readBlob(store, layer.diffId)
  return canRebuild(store, layer) ? rebuiltArchive(store, layer) : packStream(store, chain)
}

async function* readBlob(store: Store, digest: Digest): AsyncGenerator<Uint8Array> {
  const { createReadStream } = await import('node:fs')
  yield* createReadStream(store.blobs.path(digest), { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>
}

/** Turns the packer's pushes into pulls: it waits until each chunk was taken. */
async function* packStream(store: Store, chain: Chain): AsyncGenerator<Uint8Array> {
  const entries = await layerEntries(store, chain)
  const stop = new AbortController()
  let wake: (() => void) | undefined
  let taken: (() => void) | undefined
  let chunk: Uint8Array | undefined
  const packing = packLayer(
    entries,
    bytes => {
      chunk = bytes
      wake?.()
      return new Promise<void>(resolve => {
        taken = resolve
      })
    },
    { signal: stop.signal },
  ).then(
    () => ({ ok: true as const }),
    (error: unknown) => ({ ok: false as const, error }),
  )
  try {
    for (;;) {
      const next = new Promise<undefined>(resolve => {
        wake = () => resolve(undefined)
      })
      const ended = chunk ? undefined : await Promise.race([packing, next])
      if (ended?.ok) return
      if (ended) throw ended.error
      if (chunk === undefined) continue
      yield chunk
      chunk = undefined
      taken?.()
    }
  } finally {
    stop.abort()
    taken?.()
    await packing
  }
}
