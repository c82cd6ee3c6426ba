import { nearest, type Place, UserError } from '#diagnostics'
import { formatPlatform, formatReference, parseReference, type Platform, platformMatches } from '#oci'
import type { ResolvedImage } from './build-plan.ts'
import type { PlanOptions } from './plan-options.ts'
import { placed, withPlace } from './with-place.ts'

/** A place in the file that names an image. */
export interface ImageQuery {
  readonly text: string
  readonly platform: Platform
  readonly place: Place
  /** Names that could have been meant. */
  readonly stageNames: readonly string[]
}

/** Images and named contexts, each asked for once. */
export interface ImageSource {
  readonly image: (query: ImageQuery) => Promise<ResolvedImage>
  readonly contextImage: (name: string, query: ImageQuery) => Promise<ResolvedImage>
  /** The named context that stands for a stage name or an image reference, if there is one. */
  readonly contextFor: (
    text: string,
    platform: Platform,
  ) => { readonly name: string; readonly kind: 'files' | 'image' } | undefined
}

/** Memoises what the caller resolves and gives its errors a place. */
export function imageSource(options: PlanOptions): ImageSource {
  const asked = new Map<string, Promise<ResolvedImage>>()
  const once = (key: string, query: ImageQuery, ask: () => Promise<ResolvedImage>): Promise<ResolvedImage> => {
    const whole = `${key} ${formatPlatform(query.platform)}`
    const known = asked.get(whole)
    if (known) return known
    const answer = ask().catch((error: unknown) => {
      throw placed(error, query.place, stageHint(query))
    })
    asked.set(whole, answer)
    return answer
  }
  return {
    image: async query => {
      const reference = referenceOf(query)
      const image = await once(`image ${reference}`, query, () =>
        options.resolveImage(reference, query.platform, query.place),
      )
      warnAboutPlatform(options, image, query)
      return image
    },
    contextImage: async (name, query) => {
      const image = await once(`context ${name}`, query, () => {
        if (!options.resolveContext) throw new Error(`nobody resolves the named context ${name}`)
        return options.resolveContext(name, query.platform, query.place)
      })
      warnAboutPlatform(options, image, query)
      return image
    },
    contextFor: (text, platform) => contextFor(options.namedContexts, text, platform),
  }
}

function referenceOf(query: ImageQuery): string {
  try {
    return withPlace(query.place, () => formatReference(parseReference(query.text)))
  } catch (error) {
    throw placed(error, query.place, stageHint(query))
  }
}

/** A typo in a stage name becomes the name of an image. */
function stageHint({ text, stageNames }: ImageQuery): string | undefined {
  const near = nearest(text, stageNames)
  return near === undefined ? undefined : `did you mean the stage ${near}? Otherwise the image must exist`
}

function warnAboutPlatform({ warn }: PlanOptions, image: ResolvedImage, { text, platform, place }: ImageQuery): void {
  const { os, architecture, variant } = image.config
  const have: Platform = { os, architecture, ...(variant !== undefined && { variant }) }
  if (platformMatches(have, platform)) return
  warn?.({
    code: 'InvalidBaseImagePlatform',
    message: `the image ${text} is for ${formatPlatform(have)}, not for ${formatPlatform(platform)}`,
    hint: 'use an image that has this platform, or another --platform',
    at: place,
  })
}

function contextFor(
  contexts: PlanOptions['namedContexts'],
  text: string,
  platform: Platform,
): { readonly name: string; readonly kind: 'files' | 'image' } | undefined {
  if (!contexts || text === 'scratch' || text === 'context') return undefined
  const wanted = comparable(text)
  const suffix = `::${formatPlatform(platform)}`
  let found: { name: string; kind: 'files' | 'image' } | undefined
  for (const [name, kind] of contexts) {
    if (name.endsWith(suffix) && comparable(name.slice(0, -suffix.length)) === wanted) return { name, kind }
    if (!name.includes('::') && comparable(name) === wanted) found = { name, kind }
  }
  return found
}

/** Names of stages and contexts compare in any case, references in their normalised form. */
function comparable(text: string): string {
  try {
    return formatReference(parseReference(text.toLowerCase()))
  } catch (error) {
    if (error instanceof UserError) return text.toLowerCase()
    throw error
  }
}
