import { setTimeout } from 'node:timers/promises'
import { type Place, UserError } from '#diagnostics'
import type { BuildPlan, StagePlan, Step } from '#plan'
import { layerEntries } from '#rootfs'
import { firstDifference, type TreeDifference } from '#tree'
import { type BuiltImage, buildImage, solveImage } from './build-image.ts'
import type { SolveOptions } from './solve.ts'

/**
 * Builds twice without cache and compares the images, layer by layer and entry by entry. Throws a `UserError` at the
 * instruction whose layer differs first.
 */
export async function verifyBuild(options: SolveOptions): Promise<BuiltImage> {
  const title = (which: string): string => [options.title, which].filter(word => word !== undefined).join(' ')
  const first = await solveImage({ ...options, noCache: true, title: title('first build'), warn: () => {} })
  if (runsCommands(options.plan)) await nextSecond(options.signal)
  // What it made is recorded last, so later builds find the results that have the names.
  const second = await buildImage({ ...options, noCache: true, title: title('second build') })
  await compareImages(first, second, options)
  return second
}

function runsCommands({ stages }: BuildPlan): boolean {
  return stages.some(({ steps }) => steps.some(({ kind }) => kind === 'run'))
}

/** Times in layers are whole seconds: two builds within one would agree by chance. */
async function nextSecond(signal: AbortSignal): Promise<void> {
  await setTimeout(1100, undefined, { signal }).catch(() => signal.throwIfAborted())
}

async function compareImages(
  first: BuiltImage,
  second: BuiltImage,
  { store, plan }: Pick<SolveOptions, 'store' | 'plan'>,
): Promise<void> {
  const steps = stepsOf(plan, plan.stages[plan.target] as StagePlan)
  const baseLayers = second.chain.length - steps.length
  for (const [i, layer] of second.chain.entries()) {
    if (first.chain[i]?.diffId === layer.diffId) continue
    const [one, two] = [first, second].map(({ chain }) => layerEntries(store, chain.slice(0, i + 1)))
    const found = firstDifference((await one) ?? [], (await two) ?? [])
    throw layerDiffers(found, steps[i - baseLayers], plan)
  }
  if (first.id !== second.id) throw configDiffers(first, second, plan)
}

/** The steps that made the layers above the base image, in order. */
function stepsOf(plan: BuildPlan, stage: StagePlan): readonly Step[] {
  const below = stage.base.kind === 'stage' ? stepsOf(plan, plan.stages[stage.base.stage] as StagePlan) : []
  return [...below, ...stage.steps]
}

const epochHint =
  'set SOURCE_DATE_EPOCH, which times are cut off at: --build-arg SOURCE_DATE_EPOCH="$(git log -1 --pretty=%ct)"'

function layerDiffers(found: TreeDifference | undefined, step: Step | undefined, plan: BuildPlan): UserError {
  if (!found) return differs('two builds packed one layer differently', { at: step?.place, hint: 'please report this' })
  const { path, attribute, first, second } = found
  const what = attribute === 'presence' ? 'is only in one of two builds' : `differs in its ${attribute}`
  return differs(`"/${path}" ${what}`, {
    at: step?.place,
    hint:
      attribute === 'time' && plan.epoch === undefined
        ? epochHint
        : 'what the instruction writes depends on more than its inputs: a time, a random number, an order, the network',
    details: [`first build:  ${first}`, `second build: ${second}`],
  })
}

/** The layers are the same: then it is a time that only RUN brings in. */
function configDiffers(first: BuiltImage, second: BuiltImage, plan: BuildPlan): UserError {
  const [one, two] = [first, second].map(({ config }) => JSON.parse(Buffer.from(config).toString('utf8')) as object)
  const [key = ''] = Object.entries(one ?? {}).find(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify((two as Record<string, unknown>)[name]),
  ) ?? ['order']
  return differs(`the configuration differs in "${key}"`, {
    at: undefined,
    hint: plan.epoch === undefined ? epochHint : 'please report this: the layers are the same',
  })
}

function differs(
  what: string,
  { at, ...rest }: { readonly at: Place | undefined; readonly hint: string; readonly details?: readonly string[] },
): UserError {
  return new UserError(`the build is not reproducible: ${what}`, { ...rest, ...(at && { at }) })
}
