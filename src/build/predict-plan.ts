import { UserError } from '#diagnostics'
import type { BuildPlan, StagePlan, Step } from '#plan'
import { type Chain, chainTree } from '#rootfs'
import { isElsewhere, type LayerRecord } from '#store'
import type { MergedTree } from '#tree'
import { cachedStore } from './remote-cache/cached-store.ts'
import { mayHitIn, runsOf, type SolveOptions, wholeRecord, workOf } from './solve.ts'
import { imageChain, openSources, type SourceOpener } from './stage-sources.ts'
import type { StepInputs } from './step-kind.ts'

/** What the cache has of a step; unknown where that depends on something which only building can tell. */
export type Prediction = 'hit' | 'miss' | 'unknown'

type PredictedStep = Step & { readonly cache: Prediction }
type PredictedStage = Omit<StagePlan, 'steps'> & { readonly steps: readonly PredictedStep[] }

/** The plan with a prediction at every step, as `cache`. Nothing is run or recorded; contexts are read. */
export async function predictPlan(options: SolveOptions): Promise<BuildPlan> {
  const { caches = [] } = options
  const store = caches.length === 0 ? options.store : cachedStore(options.store, caches).store
  return { ...options.plan, stages: (await predictStages({ ...options, store })).stages }
}

/** The same, with the chains that the stages would have. */
export async function predictStages(
  options: SolveOptions,
): Promise<{ readonly stages: readonly PredictedStage[]; readonly chains: readonly Chain[] }> {
  const chains: Chain[] = []
  const sources = openSources({
    ...options,
    solveStage: async index => {
      const chain = chains[index]
      if (!chain?.every(layer => isReal(layer))) throw new Unknown()
      return chain
    },
    treeOf: chain => treeHere(options, chain),
  })
  const stages: PredictedStage[] = []
  for (const stage of options.plan.stages) {
    let chain = baseChain(stage, options, chains)
    const steps: PredictedStep[] = []
    for (const step of stage.steps) {
      const { cache, layer } = await predictStep(step, { options, stage, chain, sources })
      steps.push({ ...step, cache })
      chain = [...chain, layer]
    }
    chains[stage.index] = chain
    stages.push({ ...stage, steps })
  }
  return { stages, chains }
}

/** Something that only building can tell. */
class Unknown extends Error {}

/** Stands for a layer that is not there yet; its id is one that nothing was ever made from, or none at all. */
function notYet(id: string): LayerRecord {
  return { id, parent: '', name: '', created: '', forms: { directory: false, tar: false, entries: false } }
}

const unknownId = 'unknown'

function isReal(layer: LayerRecord): boolean {
  return layer.name !== '' || layer.unavailable === true
}

function baseChain(stage: StagePlan, { store }: SolveOptions, chains: readonly Chain[]): Chain {
  switch (stage.base.kind) {
    case 'scratch':
      return []
    case 'stage':
      return chains[stage.base.stage] ?? []
    case 'image':
      return imageChain(store, stage.base.image)
  }
}

interface Predicting {
  readonly options: SolveOptions
  readonly stage: StagePlan
  readonly chain: Chain
  readonly sources: SourceOpener
}

async function predictStep(
  step: Step,
  predicting: Predicting,
): Promise<{ readonly cache: Prediction; readonly layer: LayerRecord }> {
  const { options, stage, chain } = predicting
  const independent = step.kind === 'copy' && step.link
  if (!mayHitIn(options, stage)) return { cache: 'miss', layer: notYet('not cached') }
  if (!independent && chain.some(layer => layer.id === unknownId)) return { cache: 'unknown', layer: notYet(unknownId) }
  let last = 'not made'
  try {
    for await (const { key } of workOf(step, inputsOf(predicting)).cacheKeys()) {
      const layer = wholeRecord(options.store, key)
      if (layer) return { cache: 'hit', layer }
      last = key
    }
  } catch (error) {
    // What cannot be read or found is an error of the build, not of looking ahead.
    if (!(error instanceof Unknown || error instanceof UserError || isSystemError(error))) throw error
    return { cache: 'unknown', layer: notYet(unknownId) }
  }
  return { cache: 'miss', layer: notYet(last) }
}

function inputsOf({ options, stage, chain, sources }: Predicting): StepInputs {
  return {
    ...runsOf(options),
    store: options.store,
    stage,
    parent: chain,
    platform: stage.platform,
    parentTree: () => treeHere(options, chain),
    source: ref => sources.open(ref),
    warn: () => {},
    mayHit: true,
    report: () => {},
  }
}

/** Looking ahead downloads nothing. */
async function treeHere({ store }: SolveOptions, chain: Chain): Promise<MergedTree> {
  if (!chain.every(layer => isReal(layer) && !isElsewhere(store.layers.get(layer.id) ?? layer))) throw new Unknown()
  return chainTree(store, chain)
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}
