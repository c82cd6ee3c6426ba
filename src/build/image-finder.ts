import { type Place, UserError } from '#diagnostics'
import { findRemoteImage, type RemoteImage } from '#image'
import {
  type Digest,
  familiarReference,
  formatPlatform,
  hostPlatform,
  parseReference,
  type Platform,
  platformMatches,
  type Reference,
} from '#oci'
import type { ResolvedImage } from '#plan'
import type { ImageRecord, Store } from '#store'
import { nameImage } from './import-image.ts'
import { byDigest, imageConfig, nearestName, originName } from './store-images.ts'

/** Does something that takes a while, and tells about it. */
export type Teller = <T>(text: string, work: () => Promise<T>) => Promise<T>

export interface FinderOptions {
  readonly store: Store
  /** Ask the registry even for names that the store has (`--pull`). */
  readonly always: boolean
  readonly tell: Teller
}

/** An image in the store, and the name that was asked for. */
export interface FoundImage {
  readonly id: Digest
  /** What the name stood for at its registry; absent for an image that the store had. */
  readonly digest?: Digest
}

/** Answers FROM and --from: with images of the store, and with those of registries, whose layers stay there for now. */
export function imageResolver(
  options: FinderOptions,
): (reference: string, platform: Platform, place: Place) => Promise<ResolvedImage> {
  return async (text, platform, place) => {
    const reference = parseReference(text)
    const { id } = await obtainImage(options, reference, platform)
    return { reference: familiarReference(reference), id, config: await imageConfig(options.store, id), place }
  }
}

/**
 * The image of a name for a platform: as the store has it, else from its registry (asked first with `always`); the store then
 * knows it by its configuration and by the places of its layers. Throws a `UserError` where it is in neither.
 */
export async function obtainImage(
  { store, always, tell }: FinderOptions,
  reference: Reference,
  platform: Platform,
): Promise<FoundImage> {
  const local = always ? undefined : await localImage(store, reference, platform)
  if (local) return { id: local.id }
  const name = familiarReference(reference)
  const remote = await tell(`resolving ${name}`, () => askRegistry(store, reference, platform))
  return { id: await takeImage(store, remote, { reference, platform }), digest: remote.named.digest }
}

/** A name may mean several images, for several platforms; what did not come from a registry stands for itself. */
async function localImage(store: Store, reference: Reference, platform: Platform): Promise<ImageRecord | undefined> {
  if (reference.digest !== undefined) return byDigest(store, reference, platform)
  const named = store.images.resolve(reference)
  if (named && fits(await imageConfig(store, named.id), platform)) return named
  const origins = store.images.origins(originName(reference))
  const origin = origins.find(each => each.platform === formatPlatform(platform))
  if (origin) return store.images.get(origin.image)
  return named && store.images.originsOf(named.id).length === 0 ? named : undefined
}

function fits({ os, architecture, variant }: Platform, platform: Platform): boolean {
  return platformMatches({ os, architecture, ...(variant !== undefined && { variant }) }, platform)
}

async function askRegistry(store: Store, reference: Reference, platform: Platform): Promise<RemoteImage> {
  const { domain, path, tag, digest } = reference
  const what = familiarReference(reference)
  try {
    const source = await store.openPlace(`${domain}/${path}`)
    const found = await findRemoteImage(source, { name: digest ?? tag ?? 'latest', platform, what })
    if (found) return found
  } catch (error) {
    throw unavailable(store, what, error)
  }
  throw new UserError(
    `image "${what}" is not in the store, and ${domain} has no ${digest ?? `tag "${tag}"`} of ${path}`,
    {
      hint: guessed(store, what) ?? `"slipway tags ${familiarName(reference)}" lists what is there`,
    },
  )
}

function familiarName({ domain, path }: Reference): string {
  return familiarReference({ domain, path })
}

function unavailable(store: Store, what: string, error: unknown): unknown {
  if (!(error instanceof UserError)) return error
  const { message, hint, details } = error
  return new UserError(`image "${what}" cannot be pulled, and is not in the store: ${message}`, {
    hint: guessed(store, what) ?? hint,
    details,
    cause: error,
  })
}

function guessed(store: Store, what: string): string | undefined {
  const guess = nearestName(store, what)
  return guess === undefined || guess === what ? undefined : `did you mean "${guess}"?`
}

/** Keeps a found image, where it came from, and its name: unless that means an image for this machine, and it is for another. */
async function takeImage(
  store: Store,
  remote: RemoteImage,
  { reference, platform }: { readonly reference: Reference; readonly platform: Platform },
): Promise<Digest> {
  const { domain, path, tag } = reference
  const id = await nameImage(store, remote, `${domain}/${path}`)
  const { digest } = remote.named
  const asked = formatPlatform(platform)
  const names = [
    ...(tag === undefined ? [] : [originName({ domain, path, tag })]),
    originName({ domain, path, digest }),
  ]
  for (const name of names) store.images.addOrigin({ name, platform: asked, image: id, digest })
  store.images.addOrigin({
    name: originName({ domain, path, digest: remote.digest }),
    platform: '',
    image: id,
    digest: remote.digest,
  })
  if (tag === undefined || reference.digest !== undefined) return id
  const before = store.images.resolve(reference)
  const isOurs = fits(remote.config, hostPlatform())
  if (!before || isOurs || !fits(await imageConfig(store, before.id), hostPlatform())) store.images.tag(reference, id)
  return id
}
