import { findImage } from '#build'
import type { CliContext } from '../context.ts'
import { parseTag } from '../options/tag.ts'
import { withStore } from '../store-root.ts'

/** `slipway tag`. */
export async function tagCommand(image: string, name: string, context: CliContext): Promise<number> {
  const reference = parseTag(name, 'tag')
  await withStore(context, async store => store.images.tag(reference, findImage(store, image).id))
  return 0
}
