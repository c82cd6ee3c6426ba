import { mkdir } from 'node:fs/promises'
import { addImage, imageConfig } from '#build'
import type { Place } from '#diagnostics'
import { openImageArchive } from '#image'
import { type Digest, formatReference, parseReference, type Platform } from '#oci'
import type { PlanOptions, ResolvedImage } from '#plan'
import type { Store } from '#store'
import type { NamedContext } from './named-contexts.ts'

export interface ContextImageOptions {
  readonly store: Store
  /** Answers names of images. */
  readonly resolve: PlanOptions['resolveImage']
  readonly platform: Platform
  /** Who asks. */
  readonly place: Place
  readonly signal: AbortSignal
}

/**
 * The image that a named context is (section 14.2 of the language page): one of the store or a registry, or one of an OCI layout, which
 * is brought into the store without a name. Throws a `UserError` when it is not there.
 */
export async function contextImage(
  context: NamedContext | undefined,
  { store, resolve, platform, place, signal }: ContextImageOptions,
): Promise<ResolvedImage> {
  if (context?.kind === 'layout') {
    const id = await takeFromLayout(context, { store, platform, signal })
    return { reference: context.text, id, config: await imageConfig(store, id), place }
  }
  if (context?.kind !== 'image') throw new Error('a context of files is no image')
  const { reference } = context
  return { ...(await resolve(formatReference(parseReference(reference)), platform, place)), reference }
}

async function takeFromLayout(
  { directory, choice, text }: Extract<NamedContext, { kind: 'layout' }>,
  { store, platform, signal }: Omit<ContextImageOptions, 'place' | 'resolve'>,
): Promise<Digest> {
  const scratch = await store.temporary('layout')
  await mkdir(scratch)
  await using archive = await openImageArchive(directory, { scratch, platform, choice, name: text, signal })
  const [image] = archive.images
  if (!image) throw new Error('a choice gives an image or an error')
  return await addImage(store, image, { signal })
}
