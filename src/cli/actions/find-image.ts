import { nearest, UserError } from '#diagnostics'
import { familiarReference, parseReference, type Reference } from '#oci'
import type { ImageRecord, Store } from '#store'

/** An image that a person named, and how. */
export interface FoundImage {
  readonly image: ImageRecord
  /** The name, where it was named by one; absent where by (the beginning of) its id. */
  readonly reference?: Reference
}

/** The image with a name or an id (whole or its first digits). Throws a `UserError` when there is none or several. */
export function findImage(store: Store, text: string): FoundImage {
  const reference = referenceOf(text)
  const named = reference && store.images.resolve(reference)
  if (reference && named) return { image: named, reference }
  const [image, ...others] = store.images.withPrefix(text)
  if (!image) throw missing(store, text)
  if (others.length === 0) return { image }
  throw new UserError(`${JSON.stringify(text)} is the beginning of more than one image id`, {
    hint: 'write more digits, or a name',
    details: [image, ...others].map(each => each.id),
  })
}

/** A text that is no reference may still be an id: undefined. */
function referenceOf(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (/^(sha256:)?[0-9a-f]{1,64}$/.test(text)) return undefined
    throw error
  }
}

function missing(store: Store, text: string): UserError {
  const names = store.images.all().flatMap(image => image.tags)
  const near = nearest(text, [...names, ...names.map(name => name.replace(/:latest$/, ''))])
  return new UserError(`there is no image ${JSON.stringify(text)} in the local store`, {
    hint: near === undefined ? '"slipway images" lists them' : `did you mean ${JSON.stringify(near)}?`,
  })
}

/** A familiar name in its two parts, as tables show it: `debian` and `bookworm`. */
export function nameParts(name: string): { readonly repository: string; readonly tag: string } {
  const reference = parseReference(name)
  const { domain, path } = reference
  return { repository: familiarReference({ domain, path }), tag: reference.tag ?? 'latest' }
}
