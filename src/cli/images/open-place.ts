import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { nearest, UserError } from '#diagnostics'
import {
  type ArchivedImage,
  findRemoteImage,
  type ImagePlace,
  type ImageSource,
  openImageArchive,
  openLayoutSource,
  type RemoteImage,
  remoteAsArchived,
} from '#image'
import { familiarReference, hostPlatform, type ManifestBytes, type Platform, type Reference } from '#oci'
import type { Registries } from '#registry'
import type { CliContext } from '../context.ts'

/** Places whose images have manifests, to be taken as they are. */
export type ManifestPlace = Extract<ImagePlace, { kind: 'registry' | 'layout' | 'oci-archive' }>

export function hasManifests(place: ImagePlace): place is ManifestPlace {
  return place.kind === 'registry' || place.kind === 'layout' || place.kind === 'oci-archive'
}

export interface PlaceTools {
  readonly registries: Registries
  /** A fresh path that vanishes with this process: for what has to be unpacked to be read. */
  readonly temporary: (name: string) => Promise<string>
  readonly context: CliContext
}

/** An image with its manifests, wherever it is. */
export interface OpenManifests extends AsyncDisposable {
  readonly source: ImageSource
  /** What the place names: a manifest or an index; several where each is for another platform. */
  readonly tops: readonly ManifestBytes[]
  readonly what: string
}

/** Opens what a place names, without any layer. Throws a `UserError` that says what there is where it is not there. */
export async function openManifests(place: ManifestPlace, tools: PlaceTools): Promise<OpenManifests> {
  const { context, registries } = tools
  if (place.kind === 'registry') {
    const { domain, path, tag, digest } = place.reference
    const repository = registries.repository({ domain, path })
    const top = await repository.resolve(digest ?? tag ?? 'latest')
    const what = familiarReference(place.reference)
    if (top === undefined) throw await missing(place.reference, registries)
    return { source: repository, tops: [top], what, [Symbol.asyncDispose]: async () => undefined }
  }
  const scratch = await tools.temporary('layout')
  await mkdir(scratch)
  const source = await openLayoutSource(resolve(context.directory, place.path), scratch)
  try {
    const tops = await source.choose(place.choice ?? {})
    return { source, tops, what: place.text, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() }
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

async function missing(reference: Reference, registries: Registries): Promise<UserError> {
  const { domain, path, tag = 'latest', digest } = reference
  const problem = `${domain} has no ${digest === undefined ? `tag "${tag}"` : digest} of ${path}`
  const tags = await registries
    .repository({ domain, path })
    .tags()
    .catch((error: unknown) => {
      if (error instanceof UserError) return []
      throw error
    })
  const near = digest === undefined ? nearest(tag, tags) : undefined
  const some = tags.slice(-8).join(', ')
  return new UserError(problem, {
    hint:
      near !== undefined
        ? `did you mean "${near}"?`
        : some === ''
          ? 'check the names of registry and repository'
          : `it has ${some}${tags.length > 8 ? ' and more: "slipway tags" lists them' : ''}`,
  })
}

/** One image of a place, its layers unread. */
export interface PlacedImage extends AsyncDisposable {
  readonly image: ArchivedImage
  /** Where the place has manifests. */
  readonly remote?: RemoteImage
}

/** Opens one image of a place that is not the store. Throws a `UserError` when it is not there or not for the platform. */
export async function openPlacedImage(
  place: Exclude<ImagePlace, { kind: 'store' }>,
  tools: PlaceTools,
  platform: Platform = hostPlatform(),
): Promise<PlacedImage> {
  if (hasManifests(place)) return openWithManifest(place, tools, platform)
  const scratch = await tools.temporary('archive')
  await mkdir(scratch)
  const archive = await openImageArchive(resolve(tools.context.directory, place.path), { scratch, name: place.text })
  const { images } = archive
  const { name } = place
  const wanted = name === undefined ? images : images.filter(image => image.references.some(each => isSame(each, name)))
  const [only, ...others] = wanted
  if (only !== undefined && others.length === 0) {
    return { image: only, [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose]() }
  }
  await archive[Symbol.asyncDispose]()
  const there = images.flatMap(image => image.references.map(familiarReference))
  throw new UserError(
    `${place.text} ${only === undefined ? 'does not have that image' : `has ${images.length} images`}`,
    {
      hint: `name one: docker-archive:${place.path}:NAME; it has ${there.join(', ') || 'images without names'}`,
    },
  )
}

function isSame(a: Reference, b: Reference): boolean {
  return a.domain === b.domain && a.path === b.path && (a.tag ?? 'latest') === (b.tag ?? 'latest')
}

async function openWithManifest(place: ManifestPlace, tools: PlaceTools, platform: Platform): Promise<PlacedImage> {
  const open = await openManifests(place, tools)
  try {
    const { source, what } = open
    const [top] = open.tops
    // Several entries of one name are like one index.
    const remote =
      top === undefined
        ? undefined
        : await findRemoteImage(
            {
              resolve: async name => (name === 'the image' ? top : source.resolve(name)),
              read: blob => source.read(blob),
            },
            { name: 'the image', platform, what },
          )
    if (remote === undefined) throw new Error('what was found once is there')
    const references = place.kind === 'registry' ? [place.reference] : []
    return {
      image: remoteAsArchived(source, remote, { references, what }),
      remote,
      [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
    }
  } catch (error) {
    await open[Symbol.asyncDispose]()
    throw error
  }
}
