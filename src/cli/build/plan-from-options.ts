import { chainOf, findImage, imageConfig, storeResolver } from '#build'
import type { Place, WarningSink } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { formatPlatform, parsePlatform, type Platform, platformMatches } from '#oci'
import { type BuildPlan, planBuild, type ResolvedImage } from '#plan'
import type { Store } from '#store'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import { isUnpacked } from '../namespace.ts'
import { parseNameValue } from '../options/name-value.ts'
import type { NamedContexts } from './named-contexts.ts'
import type { ReadDockerfile } from './read-dockerfile.ts'

/** What is planned, and with what. */
export interface Planning {
  readonly store: Store
  readonly dockerfile: ReadDockerfile
  readonly flags: BuildFlags
  readonly contexts: NamedContexts
  readonly warn: WarningSink
}

/** The plan for a command line, with images of the local store. Throws a `UserError`. */
export async function planFromOptions(
  { store, dockerfile, flags, contexts, warn }: Planning,
  context: CliContext,
): Promise<BuildPlan> {
  const buildArgs = (flags.buildArg ?? []).flatMap(text => {
    const pair = parseNameValue(text, '--build-arg', context.environment)
    return pair ? [pair] : []
  })
  const resolve = storeResolver(store)
  return planBuild({
    tree: parseDockerfile(dockerfile.source),
    ...(flags.target !== undefined && { target: flags.target }),
    buildArgs: Object.fromEntries(buildArgs),
    labels: Object.fromEntries(flags.label ?? []),
    ...(flags.platform !== undefined && { platform: parsePlatform(flags.platform) }),
    namedContexts: new Map([...contexts].map(([name, { kind }]) => [name, kind])),
    resolveImage: async (reference, platform, place) =>
      checked(await resolve(reference, platform, place), { platform, place, warn }),
    resolveContext: async (name, platform, place) =>
      checked(await contextImage(store, contexts, name, place), { platform, place, warn }),
    warn,
  })
}

async function contextImage(store: Store, contexts: NamedContexts, name: string, place: Place): Promise<ResolvedImage> {
  const found = contexts.get(name)
  if (found?.kind !== 'image') throw new Error(`the context "${name}" is no image`)
  const image = findImage(store, found.reference, place)
  return { reference: found.reference, id: image.id, config: await imageConfig(store, image.id), place }
}

interface Check {
  readonly platform: Platform
  readonly place: Place
  readonly warn: WarningSink
}

/** The store has one image per name: it may be one for another platform. */
function checked(image: ResolvedImage, { platform, place, warn }: Check): ResolvedImage {
  if (platformMatches(image.config, platform)) return image
  warn({
    code: 'InvalidBaseImagePlatform',
    message: `the image ${image.reference} is for ${formatPlatform(image.config)}, not for ${formatPlatform(platform)}`,
    hint: 'load or build it for that platform, or leave --platform out',
    at: place,
  })
  return image
}

/** Whether the build runs commands, or reads layers that lie unpacked in the store. */
export function needsNamespace(plan: BuildPlan, store: Store): boolean {
  return plan.stages.some(
    ({ base, steps }) =>
      steps.some(step => step.kind === 'run') ||
      (base.kind === 'image' && isUnpackedImage(base.image, store)) ||
      steps.some(step => step.kind === 'copy' && step.from.kind === 'image' && isUnpackedImage(step.from.image, store)),
  )
}

function isUnpackedImage({ id }: ResolvedImage, store: Store): boolean {
  const [image] = store.images.withPrefix(id)
  return image !== undefined && isUnpacked(chainOf(store, image))
}
