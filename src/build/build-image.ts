import { assembleImage, type NewHistory } from '#image'
import type { Digest } from '#oci'
import type { BuildPlan, StagePlan } from '#plan'
import { type Chain, packedLayer } from '#rootfs'
import type { Store } from '#store'
import { clampCreated, clampTimes } from './clamp-times.ts'
import { imageRecipe } from './image-recipe.ts'
import { type Solved, type SolveOptions, type StepReport, solvePlan } from './solve.ts'

export interface BuiltImage {
  /** Digest of the configuration. */
  readonly id: Digest
  readonly config: Uint8Array
  readonly chain: Chain
  /** How many layers of the chain, its lowest, are those of the image that FROM named. */
  readonly baseLayers: number
  /** SOURCE_DATE_EPOCH, where one was given. */
  readonly epoch?: number
  /** Every step of the plan, stage by stage. */
  readonly steps: readonly StepReport[]
}

/**
 * Builds a plan and puts the image into the store, without a name. Only the layers of the target stage are packed.
 * Throws a `UserError` for what the user can mend.
 */
export async function buildImage(options: SolveOptions): Promise<BuiltImage> {
  const image = await solveAnyhow(options)
  const layers = image.chain.map(layer => layer.id)
  options.store.images.add(image.id, layers, imageRecipe(options.plan, image.chain))
  options.store.layers.touch(layers)
  return image
}

async function solveAnyhow(options: SolveOptions): Promise<BuiltImage> {
  if (!options.caches || options.caches.length === 0) return solveImage(options)
  const { solveWithCaches } = await import('./remote-cache/solve-with-caches.ts')
  return solveWithCaches(options, options.caches, solveImage)
}

/** The same, but the store does not hold it as an image: a later prune takes it. */
export async function solveImage(options: SolveOptions): Promise<BuiltImage> {
  const solved = await solvePlan(options)
  const image = await imageOfStage(options, solved)
  return {
    ...image,
    ...(options.plan.epoch !== undefined && { epoch: options.plan.epoch }),
    steps: [...solved.steps.entries()].sort(([a], [b]) => a - b).flatMap(([, steps]) => steps),
  }
}

async function imageOfStage(
  { store, plan, signal, progress, now }: SolveOptions,
  solved: Solved,
): Promise<Pick<BuiltImage, 'id' | 'config' | 'chain' | 'baseLayers'>> {
  const stage = plan.stages[plan.target] as StagePlan
  const { history, base, layers } = historyOf(plan, stage, store)
  const baseLayers = layers - history.filter(entry => entry.layer !== undefined).length
  const chain =
    plan.epoch === undefined
      ? solved.chain
      : await clampTimes(store, solved.chain, { epoch: plan.epoch, baseLayers, signal })
  const packed: Awaited<ReturnType<typeof packedLayer>>[] = []
  for (const [i, { created }] of chain.entries()) {
    const began = now()
    const layer = await packedLayer(store, chain.slice(0, i + 1), signal)
    // A command's layer is packed when its digest is wanted, long after the step.
    if (chain[i]?.diffId === undefined) progress({ kind: 'span', name: `packing layer ${i + 1}`, began, time: now() })
    packed.push({ ...layer, created: plan.epoch === undefined ? created : clampCreated(created, plan.epoch) })
  }
  const config = assembleImage({
    platform: stage.platform,
    config: stage.config,
    ...(stage.author !== undefined && { author: stage.author }),
    ...(base?.kind === 'image' && { base: base.image.config }),
    layers: packed,
    history,
  })
  return { id: await store.blobs.put(config), config, chain: packed, baseLayers }
}

/** A stage's new entries below those of the stages it is built from, with positions among all layers. */
function historyOf(
  plan: BuildPlan,
  stage: StagePlan,
  store: Store,
): { history: NewHistory[]; base: StagePlan['base']; layers: number } {
  const below =
    stage.base.kind === 'stage'
      ? historyOf(plan, plan.stages[stage.base.stage] as StagePlan, store)
      : {
          history: [],
          base: stage.base,
          layers:
            stage.base.kind === 'image' ? (store.images.withPrefix(stage.base.image.id)[0]?.layers.length ?? 0) : 0,
        }
  const own = stage.history.map(
    ({ createdBy, step }): NewHistory => ({ createdBy, ...(step !== undefined && { layer: below.layers + step }) }),
  )
  return { history: [...below.history, ...own], base: below.base, layers: below.layers + stage.steps.length }
}
