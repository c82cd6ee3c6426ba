import { type ImageDetails, imageDetails } from '../actions/image-details.ts'
import type { CliContext } from '../context.ts'
import type { ImageFlags } from '../options/image-options.ts'
import { withStore } from '../store-root.ts'
import { namedPlace } from './named-place.ts'
import { type PlaceDetails, placeDetails } from './place-details.ts'
import { stageImages } from './stage-images.ts'
import { storedImage } from './stored-image.ts'

/** What is known of an image that a name means, by where it is. */
export type NamedDetails = ({ readonly kind: 'store' } & ImageDetails) | ({ readonly kind: 'elsewhere' } & PlaceDetails)

/** Reads what the names mean, as `namedPlace` understands them, in their order; stages are built. Throws a `UserError`. */
export async function namedDetails(
  names: readonly string[],
  flags: ImageFlags,
  context: CliContext,
): Promise<readonly NamedDetails[]> {
  const stages = await stageImages(names, flags, context)
  return withStore(context, async store => {
    const found: NamedDetails[] = []
    for (const name of names) {
      const place = await namedPlace(stages.get(name) ?? name, { store, context })
      if (place.kind === 'stage') throw new Error('stages were built')
      if (place.kind === 'store') {
        const record = await storedImage(store, place.name, stages.has(name) ? undefined : flags.platform)
        found.push({ kind: 'store', ...(await imageDetails(store, record)) })
      } else found.push({ kind: 'elsewhere', ...(await placeDetails(place, { store, flags, context })) })
    }
    return found
  })
}
