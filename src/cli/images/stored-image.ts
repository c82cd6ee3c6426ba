import { findImage, imageConfig } from '#build'
import { UserError } from '#diagnostics'
import { type Digest, formatPlatform, formatReference, parseReference, type Platform, platformMatches } from '#oci'
import type { ImageRecord, Store } from '#store'

/**
 * The image that a name or id means in the store, for a platform where one is asked for: the named one, or what was pulled by that
 * name. Throws a `UserError` where there is none.
 */
export async function storedImage(store: Store, name: string, platform?: Platform): Promise<ImageRecord> {
  if (platform === undefined) return findImage(store, name)
  const named = findImage(store, name)
  const candidates = await withPlatforms(store, [named.id, ...pulledAs(store, name)])
  const found = candidates.find(each => platformMatches(each.platform, platform))
  const record = found && store.images.get(found.id)
  if (record) return record
  const there = [...new Set(candidates.map(each => formatPlatform(each.platform)))]
  throw new UserError(`${name} is not in the store for ${formatPlatform(platform)}`, {
    hint: `it is there for ${there.join(', ')}; docker://NAME asks its registry`,
  })
}

/** Images that came from a registry under a name, for whichever platform. */
export function pulledAs(store: Store, name: string): readonly Digest[] {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return []
  const { domain, path, tag = 'latest', digest } = parseReference(name)
  if (digest !== undefined) return []
  return store.images.origins(formatReference({ domain, path, tag })).map(origin => origin.image)
}

/** Images with the platforms that their configurations name, each once. */
export async function withPlatforms(
  store: Store,
  ids: readonly Digest[],
): Promise<readonly { readonly id: Digest; readonly platform: Platform }[]> {
  return Promise.all(
    [...new Set(ids)].map(async id => {
      const { os, architecture, variant } = await imageConfig(store, id)
      return { id, platform: { os, architecture, ...(variant !== undefined && { variant }) } }
    }),
  )
}
