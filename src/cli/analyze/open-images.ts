import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { archivedImage, type ReadableImage, storeImage } from '#analyze'
import { chainOf, findImage } from '#build'
import { UserError } from '#diagnostics'
import { type ImageArchive, openImageArchive } from '#image'
import { familiarReference, hostPlatform, parseDigest, type Platform, type Reference } from '#oci'
import type { ImageRecord, Store } from '#store'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { parseReferences } from '../options/references.ts'
import type { RegistryFlags } from '../options/registry-options.ts'
import { idCounter } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'

export interface ImageOptions extends RegistryFlags {
  /** Which image of several for one name; default: that of this machine. */
  readonly platform?: Platform
}

/** An image of the command line, and the store that is open while it is read. */
export interface OpenImages {
  readonly store: Store
  /** Opens what a name means; closed when `work` ends. */
  readonly open: (name: string) => Promise<ReadableImage>
}

/**
 * Does `work` with images that the command line names: a name or id of the store; `docker://NAME` of a registry, or a name
 * with a registry's host that the store does not have; `oci-layout:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, each with
 * `:TAG` or `@DIGEST` behind where it holds several; or simply the path of one. Layers that lie unpacked under mapped owners
 * are read inside a user namespace.
 */
export async function withImages(
  names: readonly string[],
  { options, context }: { readonly options: ImageOptions; readonly context: CliContext },
  work: (images: OpenImages) => Promise<number>,
): Promise<number> {
  const unpacked = await withStore(context, async store =>
    names.some(name => {
      const isElsewhere = archivePlace(name, store, context) ?? registryName(name, store)
      return !isElsewhere && isUnpacked(chainOf(store, findImage(store, name)))
    }),
  )
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  const read = async (store: Store): Promise<number> => {
    await using open = new AsyncDisposableStack()
    return await work({ store, open: name => openImage(name, { store, options, context, archives: open }) })
  }
  return withStore(context, read, options)
}

interface Opening {
  readonly store: Store
  readonly options: ImageOptions
  readonly context: CliContext
  readonly archives: AsyncDisposableStack
}

async function openImage(name: string, opening: Opening): Promise<ReadableImage> {
  const { store, context } = opening
  const place = archivePlace(name, store, context)
  if (place) return openFromArchive(name, place, opening)
  const reference = registryName(name, store)
  return storeImage(store, reference ? await pulled(reference, opening) : findImage(store, name), name)
}

/** A name that means an image of a registry; undefined for one that the store is to know. */
function registryName(name: string, store: Store): Reference | undefined {
  const given = /^docker:\/\/(.+)$/.exec(name)?.[1]
  if (given !== undefined) return parseReferences([given])[0]
  // Without a host, a mistyped name would be asked for in public.
  const hasHost = /^[^/]*[.:][^/]*\//.test(name) || name.startsWith('localhost/')
  return hasHost && !isInStore(name, store) ? parseReferences([name])[0] : undefined
}

/** Layers that the store has are not downloaded, and those that come are kept. */
async function pulled(reference: Reference, { store, options, context }: Opening): Promise<ImageRecord> {
  const { pullImage } = await import('../actions/pull-command.ts')
  const platform = options.platform ?? hostPlatform()
  const { id } = await withProgress('auto', context, progress => {
    const teller = { progress, nextId: idCounter(), now: context.now }
    return pullImage(store, { reference, platform, always: true }, { teller, context })
  })
  return findImage(store, id)
}

interface ArchivePlace {
  readonly path: string
  readonly tag?: string
  readonly digest?: string
}

const prefixed = /^(oci-layout|oci-archive|oci|docker-archive):(?:\/\/)?(.+)$/

/** Undefined for an image of the store. */
function archivePlace(name: string, store: Store, { directory }: CliContext): ArchivePlace | undefined {
  const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
  const given = prefixed.exec(name)?.[2]
  if (given !== undefined) {
    const whole = resolve(directory, given)
    if (exists(whole)) return { path: whole }
    const [, path = given, separator, rest] = /^(.+?)([@:])([^/]+)$/.exec(given) ?? []
    return { path: resolve(directory, path), ...(rest && (separator === '@' ? { digest: rest } : { tag: rest })) }
  }
  const looksLikePath = /^\.{0,2}\//.test(name) || /\.(tar|tgz|oci)(\.\w+)?$/.test(name)
  const path = resolve(directory, name)
  if (looksLikePath) return { path }
  // A directory that happens to have the name of an image is none, unless the store does not know the name.
  return exists(`${path}/index.json`) && !isInStore(name, store) ? { path } : undefined
}

function isInStore(name: string, store: Store): boolean {
  try {
    findImage(store, name)
    return true
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

async function openFromArchive(
  name: string,
  { path, tag, digest }: ArchivePlace,
  { store, options, context, archives }: Opening,
): Promise<ReadableImage> {
  const scratch = await store.temporary('image')
  await mkdir(scratch)
  const choice = { ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest: parseDigest(digest) }) }
  const archive = archives.use(
    await openImageArchive(path, {
      scratch,
      name,
      ...(options.platform && { platform: options.platform }),
      ...((tag ?? digest) !== undefined && { choice }),
    }),
  )
  return archivedImage(chooseImage(archive, name, tag), name, { store, scratch, signal: context.interrupts.signal })
}

/** A layout was asked for one image already; a Docker archive holds them all. */
function chooseImage({ images }: ImageArchive, name: string, tag?: string): ImageArchive['images'][number] {
  const named = images.filter(({ references }) =>
    references.some(each => tag === undefined || each.tag === tag || familiarReference(each) === tag),
  )
  const [only, ...more] = named.length === 1 ? named : images
  if (only !== undefined && more.length === 0) return only
  const there = images.flatMap(({ references }) => references.map(familiarReference))
  throw new UserError(`${name} holds ${images.length} images`, {
    hint: `name one of them: ${prefixed.test(name) ? name : `docker-archive:${name}`}:TAG; it has ${there.join(', ') || 'images without names'}`,
  })
}
