import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { nearest, UserError } from '#diagnostics'
import {
  type ArchivedImage,
  findRemoteImage,
  type ImagePlace,
  type ImageSource,
  type LayoutChoice,
  openAnyArchive,
  openImageArchive,
  openLayoutSource,
  type RemoteImage,
  remoteAsArchived,
} from '#image'
import {
  familiarReference,
  formatPlatform,
  hostPlatform,
  type ManifestBytes,
  parseDigest,
  parseReference,
  type Platform,
  platformMatches,
  type Reference,
} from '#oci'
import type { Registries } from '#registry'
import type { CliContext } from '../context.ts'
import type { NamedPlace } from './named-place.ts'

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
  const source = await openLayoutSource(resolve(context.directory, place.path), {
    scratch,
    name: place.text,
    signal: context.interrupts.signal,
  })
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

/** A place whose images are neither in the store nor still to be built. */
export type PlaceElsewhere = Exclude<NamedPlace, { kind: 'store' | 'stage' }>

/** Opens one image of a place that is not the store. Throws a `UserError` when it is not there or not for the platform. */
export async function openPlacedImage(
  place: PlaceElsewhere,
  tools: PlaceTools,
  platform: Platform = hostPlatform(),
): Promise<PlacedImage> {
  if (place.kind === 'path') return openPath(place, tools, platform)
  if (place.kind !== 'docker-archive') {
    const references = place.kind === 'registry' ? [place.reference] : []
    return openWithManifest(await openManifests(place, tools), { platform, references })
  }
  const scratch = await tools.temporary('archive')
  await mkdir(scratch)
  const path = resolve(tools.context.directory, place.path)
  const archive = await openImageArchive(path, {
    scratch,
    name: place.text,
    platform,
    signal: tools.context.interrupts.signal,
  })
  return oneOf(archive, place)
}

/** Whatever lies there. */
async function openPath(
  place: Extract<PlaceElsewhere, { kind: 'path' }>,
  tools: PlaceTools,
  platform: Platform,
): Promise<PlacedImage> {
  const scratch = await tools.temporary('archive')
  await mkdir(scratch)
  const { text: name, choice } = place
  const { directory, interrupts } = tools.context
  const { signal } = interrupts
  const archive = await openAnyArchive(resolve(directory, place.path), { scratch, name, platform, signal })
  if (archive.kind === 'docker') {
    return oneOf(archive, { ...place, ...(choice !== undefined && { name: parseReference(choice) }) })
  }
  const { source } = archive
  const dispose = () => archive[Symbol.asyncDispose]()
  try {
    const tops = await source.choose(choiceOf(choice))
    return await openWithManifest(
      { source, tops, what: name, [Symbol.asyncDispose]: dispose },
      { platform, references: [] },
    )
  } catch (error) {
    await dispose()
    throw error
  }
}

function choiceOf(choice: string | undefined): LayoutChoice {
  if (choice === undefined) return {}
  return choice.startsWith('sha256:') ? { digest: parseDigest(choice) } : { tag: choice }
}

/** The image of a Docker archive that is meant; the archive is closed where there is none. */
async function oneOf(
  archive: AsyncDisposable & { readonly images: readonly ArchivedImage[] },
  { text, path, name }: { readonly text: string; readonly path: string; readonly name?: Reference },
): Promise<PlacedImage> {
  const { images } = archive
  const named = name === undefined ? images : images.filter(image => image.references.some(each => isSame(each, name)))
  const wanted = named.length > 0 || name === undefined ? named : images.filter(image => hasTag(image, name))
  const [only, ...others] = wanted
  if (only !== undefined && others.length === 0) {
    return { image: only, [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose]() }
  }
  await archive[Symbol.asyncDispose]()
  const there = images.flatMap(image => image.references.map(familiarReference))
  throw new UserError(`${text} ${only === undefined ? 'does not have that image' : `has ${wanted.length} images`}`, {
    hint: `name one: docker-archive:${path}:NAME; it has ${there.join(', ') || 'images without names'}`,
  })
}

function isSame(a: Reference, b: Reference): boolean {
  return a.domain === b.domain && a.path === b.path && (a.tag ?? 'latest') === (b.tag ?? 'latest')
}

/** A word without a colon may be meant as a tag alone. */
function hasTag({ references }: ArchivedImage, { path, tag, digest }: Reference): boolean {
  return (
    (tag ?? 'latest') === 'latest' && digest === undefined && references.some(each => path === `library/${each.tag}`)
  )
}

/** Takes over what is open: closed when it fails, else with what it gives. */
async function openWithManifest(
  open: OpenManifests,
  { platform, references }: { readonly platform: Platform; readonly references: readonly Reference[] },
): Promise<PlacedImage> {
  try {
    const { source, what } = open
    const remote = await remoteOf(open, platform)
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

/** Several entries of one name are like one index: each is for another platform. */
async function remoteOf({ source, tops, what }: OpenManifests, platform: Platform): Promise<RemoteImage> {
  const found: RemoteImage[] = []
  for (const top of tops) {
    const remote = await findRemoteImage(
      {
        resolve: async name => (name === 'the image' ? top : source.resolve(name)),
        read: blob => source.read(blob),
      },
      { name: 'the image', platform, what },
    )
    if (remote !== undefined) found.push(remote)
  }
  const [only, ...others] = found
  if (only === undefined) throw new Error('what was found once is there')
  if (others.length === 0) return only
  const fitting = found.find(({ config }) => platformMatches(platformOf(config), platform))
  if (fitting !== undefined) return fitting
  const there = found.map(({ config }) => formatPlatform(platformOf(config)))
  throw new UserError(`${what} has no image for ${formatPlatform(platform)}`, { hint: `it has ${there.join(', ')}` })
}

function platformOf({ os, architecture, variant }: RemoteImage['config']): Platform {
  return { os, architecture, ...(variant !== undefined && { variant }) }
}
