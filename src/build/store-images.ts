import { nearest, type Place, UserError } from '#diagnostics'
import {
  type Digest,
  familiarReference,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  parseImageConfig,
  parseReference,
  type Platform,
  type Reference,
} from '#oci'
import type { ResolvedImage } from '#plan'
import type { ImageRecord, Store } from '#store'

/**
 * The image that a name, an id or the beginning of an id means in the store. Throws a `UserError` when there is none or
 * when several ids begin like that.
 */
export function findImage(store: Store, name: string, place?: Place): ImageRecord {
  const found = byReference(store, name) ?? byId(store, name, place)
  if (found) return found
  const guess = nearestName(store, name)
  throw new UserError(`image "${name}" is not in the store`, {
    hint:
      guess === undefined
        ? 'make a base with "slipway base build", or bring an image with "slipway pull", "slipway load" or "slipway import"'
        : `did you mean "${guess}"?`,
    ...(place && { at: place }),
  })
}

/** Whether a name, an id or the beginning of an id means an image of the store. */
export function hasImage(store: Store, name: string): boolean {
  return store.images.withPrefix(name).length > 0 || byReference(store, name) !== undefined
}

/** A name in the store that somebody may have meant. */
export function nearestName(store: Store, name: string): string | undefined {
  return nearest(
    name,
    store.images.all().flatMap(image => image.tags),
  )
}

function byReference(store: Store, name: string): ImageRecord | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return undefined
  const reference = parseReference(name)
  if (reference.digest !== undefined) return byDigest(store, reference, undefined)
  return store.images.resolve(reference)
}

/** By the digest of a configuration, or of a manifest or index from which an image came. */
export function byDigest(store: Store, reference: Reference, platform: Platform | undefined): ImageRecord | undefined {
  const { digest } = reference
  if (digest === undefined) return undefined
  const named = reference.tag === undefined ? undefined : store.images.resolve(reference)
  if (named?.id === digest) return named
  const origins = store.images.origins(originName(reference))
  const wanted = platform && formatPlatform(platform)
  // A manifest is the same for everybody who asks: its platform is empty.
  const origin =
    origins.find(each => each.platform === '' || each.platform === (wanted ?? formatPlatform(hostPlatform()))) ??
    (wanted === undefined ? origins[0] : undefined)
  if (origin) return store.images.get(origin.image)
  return store.images.get(digest) && store.images.tagsOf(digest).some(tag => sameRepository(tag, reference))
    ? store.images.get(digest)
    : undefined
}

function sameRepository(tag: string, { domain, path }: Reference): boolean {
  const other = parseReference(tag)
  return other.domain === domain && other.path === path
}

/** How origins are named: by digest where there is one, else by tag. */
export function originName({ domain, path, tag, digest }: Reference): string {
  return digest === undefined ? `${domain}/${path}:${tag ?? 'latest'}` : `${domain}/${path}@${digest}`
}

function byId(store: Store, name: string, place?: Place): ImageRecord | undefined {
  const matches = store.images.withPrefix(name)
  if (matches.length > 1) {
    throw new UserError(`several images begin with "${name}"`, {
      hint: 'give more digits of the id',
      ...(place && { at: place }),
    })
  }
  return matches[0]
}

/** An image's configuration. */
export async function imageConfig(store: Store, id: Digest): Promise<ImageConfig> {
  return parseImageConfig((await store.blobs.get(id)).toString('utf8'))
}

/** Answers FROM and --from with images of the store alone; references are normalised ones. */
export function storeResolver(
  store: Store,
): (reference: string, platform: Platform, place: Place) => Promise<ResolvedImage> {
  return async (reference, _platform, place) => {
    const name = familiarReference(parseReference(reference))
    const image = findImage(store, name, place)
    return { reference: name, id: image.id, config: await imageConfig(store, image.id), place }
  }
}
