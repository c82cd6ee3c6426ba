import { UserError } from '#diagnostics'
import { type ImageSource, wholeBlob } from '#image'
import { type Descriptor, parseManifestOrIndex } from '#oci'
import type { LayerPlace } from '#store'
import {
  type CachedLayer,
  type CachedMount,
  type CacheRecords,
  decodeInline,
  inlineKey,
  parseRecords,
  recordsLimit,
  recordsType,
} from './cache-format.ts'

/** A cache of somebody: what it knows, and where it is. */
export interface OpenedCache {
  readonly records: CacheRecords
  /** As the store names places. */
  readonly repository: string
  readonly blobs: readonly Descriptor[]
}

export interface CacheLocation {
  readonly source: ImageSource
  readonly repository: string
  /** A tag or a digest. */
  readonly name: string
  /** How errors call it. */
  readonly what: string
}

/** Manifests of an index that are looked at. */
const manifestLimit = 64

/**
 * The records of a cache, or of the images with an inline cache that a name stands for; no layer is fetched. Throws a `UserError`
 * where there is none, or a damaged one.
 */
export async function openCache({ source, repository, name, what }: CacheLocation): Promise<readonly OpenedCache[]> {
  const top = await source.resolve(name)
  if (!top) throw new UserError(`there is no cache ${what}`, { hint: 'it comes to be with --cache-to' })
  const found = parseManifestOrIndex(Buffer.from(top.bytes).toString())
  const manifests = [found]
  if (found.kind === 'index') {
    for (const { digest } of found.value.manifests.slice(0, manifestLimit)) {
      const each = await source.resolve(digest)
      if (each) manifests.push(parseManifestOrIndex(Buffer.from(each.bytes).toString()))
    }
  }
  const opened: OpenedCache[] = []
  for (const each of manifests) {
    if (each.kind !== 'manifest') continue
    const { config, layers, annotations = {} } = each.value
    const inline: unknown = annotations[inlineKey]
    if (config.mediaType === recordsType) {
      if (config.size > recordsLimit) throw tooLarge(what, config.size)
      const json = await wholeBlob(source, config, `the cache ${what}`)
      opened.push({ records: parseRecords(json.toString('utf8'), layers), repository, blobs: layers })
    } else if (typeof inline === 'string') {
      opened.push({ records: decodeInline(inline, layers), repository, blobs: layers })
    }
  }
  if (opened.length > 0) return opened
  throw new UserError(`${what} is an image without a cache in it`, {
    hint: 'build and push it with --cache-to type=inline',
  })
}

function tooLarge(what: string, size: number): UserError {
  return new UserError(`the records of the cache ${what} have ${size} bytes`, {
    hint: `they may have at most ${recordsLimit >> 20} MiB`,
  })
}

/** Where the bytes of a layer are in a cache. */
export function placeOf(
  { repository, blobs }: OpenedCache,
  { blob }: Pick<CachedLayer, 'blob'>,
): LayerPlace | undefined {
  const descriptor = blob === undefined ? undefined : blobs[blob]
  return descriptor && { repository, blob: descriptor }
}

/** The content of a cache mount, in the first cache that has it. */
export function mountIn(
  caches: readonly OpenedCache[],
  { id, namespace }: { readonly id: string; readonly namespace?: string },
): { readonly mount: CachedMount; readonly place: LayerPlace } | undefined {
  for (const cache of caches) {
    const mount = cache.records.mounts.find(each => each.id === id && each.namespace === namespace)
    const place = mount && placeOf(cache, mount)
    if (mount && place) return { mount, place }
  }
  return undefined
}
