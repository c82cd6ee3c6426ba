import { chainOf, imageResolver, storeResolver, type Teller } from '#build'
import { nearest, type Place, UserError, type WarningSink } from '#diagnostics'
import { type DockerfileTree, parseDockerfile } from '#dockerfile'
import type { Platform } from '#oci'
import { type BuildPlan, planBuild, type ResolvedImage } from '#plan'
import type { Store } from '#store'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import { isUnpacked } from '../namespace.ts'
import { parseNameValue } from '../options/name-value.ts'
import { contextImage } from './context-image.ts'
import { contextKind, type NamedContexts } from './named-contexts.ts'
import { contextDate } from './context-date.ts'
import type { Elsewhere } from './open-elsewhere.ts'
import type { ReadDockerfile } from './read-dockerfile.ts'

/** What is planned, and with what. */
export interface Planning {
  readonly store: Store
  readonly dockerfile: ReadDockerfile
  readonly flags: BuildFlags
  readonly contexts: NamedContexts
  readonly elsewhere: Elsewhere
  readonly warn: WarningSink
  /** Tells of questions to registries; without, none is asked. */
  readonly tell?: Teller
  /** Plan the stages that the target does not need, too. */
  readonly everyStage?: boolean
  /** What stands for an image that cannot be had; without, that is an error. */
  readonly standIn?: (error: UserError, wanted: WantedImage) => ResolvedImage
}

/** An image that a plan asks for. */
export interface WantedImage {
  readonly reference: string
  readonly platform: Platform
  readonly place: Place
}

/** The plans for a command line, one for each platform, with images of the local store or of registries. Throws a `UserError`. */
export async function plansFromOptions(planning: Planning, context: CliContext): Promise<readonly BuildPlan[]> {
  const tree = parseDockerfile(planning.dockerfile.source)
  checkStageNames(planning.flags.noCacheFilter ?? [], tree)
  const plans: BuildPlan[] = []
  const warn = warnOnce(planning.warn)
  for (const platform of planning.flags.platform ?? [undefined])
    plans.push(await planFor(platform, { ...planning, warn, tree }, context))
  return plans
}

async function planFor(
  platform: Platform | undefined,
  {
    store,
    dockerfile,
    elsewhere,
    flags,
    contexts,
    warn,
    tell,
    tree,
    everyStage,
    standIn,
  }: Planning & { readonly tree: DockerfileTree },
  context: CliContext,
): Promise<BuildPlan> {
  const resolve = tell ? imageResolver({ store, tell, always: flags.pull === true }) : storeResolver(store)
  return planBuild({
    tree,
    ...(flags.target !== undefined && { target: flags.target }),
    buildArgs: buildArguments(flags, context),
    labels: Object.fromEntries(flags.label ?? []),
    ...(platform && { platform }),
    ...(flags.network !== undefined && { network: flags.network }),
    allow: new Set([...(flags.allow ?? []), ...(flags.network === 'host' ? (['network.host'] as const) : [])]),
    namedContexts: new Map([...contexts].map(([name, each]) => [name, contextKind(each)])),
    resolveImage: (reference, platform, place) =>
      orStandIn(() => resolve(reference, platform, place), { reference, platform, place }, standIn),
    resolveContext: (name, platform, place) =>
      orStandIn(
        () => contextImage(contexts.get(name), { store, resolve, platform, place, signal: context.interrupts.signal }),
        { reference: name, platform, place },
        standIn,
      ),
    resolveEpoch: source => contextDate(source, { dockerfile, contexts, elsewhere }),
    ...(everyStage !== undefined && { everyStage }),
    warn,
  })
}

async function orStandIn(
  resolve: () => Promise<ResolvedImage>,
  wanted: WantedImage,
  standIn: Planning['standIn'],
): Promise<ResolvedImage> {
  try {
    return await resolve()
  } catch (error) {
    if (!standIn || !(error instanceof UserError)) throw error
    return standIn(error, wanted)
  }
}

/** The variable SOURCE_DATE_EPOCH counts as given, as with docker buildx. */
export function buildArguments({ buildArg = [] }: BuildFlags, { environment }: CliContext): Record<string, string> {
  const pairs = buildArg.flatMap(text => {
    const pair = parseNameValue(text, '--build-arg', environment)
    return pair ? [pair] : []
  })
  const epoch = environment['SOURCE_DATE_EPOCH']
  return Object.fromEntries([...(epoch ? [['SOURCE_DATE_EPOCH', epoch] as const] : []), ...pairs])
}

/** Whether a build argument for the builder itself is given and true, in the words of Go's strconv.ParseBool. */
export function isSwitchedOn(name: string, flags: BuildFlags, context: CliContext): boolean {
  return /^(1|t|true)$/i.test(buildArguments(flags, context)[name] ?? '')
}

/** Names that no stage has would silently do nothing. */
function checkStageNames(names: readonly string[], { stages }: DockerfileTree): void {
  const known = stages.map(({ name, position }) => name ?? `stage-${position}`)
  for (const name of names) {
    if (known.includes(name.toLowerCase())) continue
    const near = nearest(name, known)
    throw new UserError(`--no-cache-filter: there is no stage ${JSON.stringify(name)}`, {
      hint: near === undefined ? `the stages are ${known.join(', ')}` : `did you mean ${near}?`,
    })
  }
}

/** The plans of several platforms warn of the same things. */
function warnOnce(warn: WarningSink): WarningSink {
  const told = new Set<string>()
  return warning => {
    const key = JSON.stringify([warning.code, warning.message, warning.at?.source.name, warning.at?.span])
    if (told.has(key)) return
    told.add(key)
    warn(warning)
  }
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
