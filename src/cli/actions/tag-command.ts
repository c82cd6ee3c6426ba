import { UserError } from '#diagnostics'
import { parseReference } from '#oci'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'
import { findImage } from './find-image.ts'

/** `slipway tag`. */
export async function tagCommand(image: string, name: string, context: CliContext): Promise<number> {
  const reference = parseReference(name)
  if (reference.digest !== undefined) {
    throw new UserError(`${JSON.stringify(name)} has a digest: a name to give is without one`, {
      hint: 'write NAME or NAME:TAG',
    })
  }
  await withStore(context, async store => store.images.tag(reference, findImage(store, image).image.id))
  return 0
}
