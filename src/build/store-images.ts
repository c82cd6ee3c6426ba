import { nearest, type Place, UserError } from '#diagnostics'
import { type Digest, familiarReference, type ImageConfig, parseImageConfig, parseReference, type Platform } from '#oci'
import type { ResolvedImage } from '#plan'
import type { ImageRecord, Store } from '#store'

/**
 * The image that a name, an id or the beginning of an id means in the store. Throws a `UserError` when there is none or
 * when several ids begin like that.
 */
export function findImage(store: Store, name: string, place?: Place): ImageRecord {
  const found = byReference(store, name) ?? byId(store, name, place)
  if (found) return found
  const known = store.images.all().flatMap(image => image.tags)
  const guess = nearest(name, known)
  throw new UserError(`image "${name}" is not in the store`, {
    hint:
      guess === undefined
        ? 'make a base with "slipway base build", or bring an image with "slipway load" or "slipway import"'
        : `did you mean "${guess}"?`,
    ...(place && { at: place }),
  })
}

function byReference(store: Store, name: string): ImageRecord | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return undefined
  const reference = parseReference(name)
  const found = store.images.resolve(reference)
  return found && (reference.digest === undefined || reference.digest === found.id) ? found : undefined
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

/** Answers FROM and --from with images of the store; references are normalised ones. */
export function storeResolver(
  store: Store,
): (reference: string, platform: Platform, place: Place) => Promise<ResolvedImage> {
  return async (reference, _platform, place) => {
    const name = familiarReference(parseReference(reference))
    const image = findImage(store, name, place)
    return { reference: name, id: image.id, config: await imageConfig(store, image.id), place }
  }
}
