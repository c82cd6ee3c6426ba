import { positionOf } from '#diagnostics'
import type { BuildPlan, StagePlan } from '#plan'
import type { Chain } from '#rootfs'
import type { ImageRecipe, LayerRecipe } from '#store'

/** Which instruction made which layer of a plan's target; the layers that no step made are the base's. */
export function imageRecipe(plan: BuildPlan, chain: Chain): ImageRecipe {
  const stages = lineage(plan, plan.stages[plan.target] as StagePlan)
  const own = stages.flatMap(stage => stage.steps.map(step => layerRecipe(stage, step)))
  const base = stages[0]?.base
  const below = chain.length - own.length
  return {
    dockerfile: stages.at(-1)?.place.source.name ?? '',
    ...(base?.kind === 'image' && { base: { reference: base.image.reference, layers: below } }),
    layers: [...Array.from({ length: below }, () => null), ...own],
  }
}

/** A stage with those that it is built from, the lowest first. */
function lineage(plan: BuildPlan, stage: StagePlan): readonly StagePlan[] {
  const below = stage.base.kind === 'stage' ? lineage(plan, plan.stages[stage.base.stage] as StagePlan) : []
  return [...below, stage]
}

function layerRecipe(stage: StagePlan, step: StagePlan['steps'][number]): LayerRecipe {
  const { source, span } = step.place
  const end = positionOf(source, Math.max(span.start, span.end - 1)).line
  return { line: step.line, endLine: Math.max(step.line, end), stage: stage.name, instruction: step.text }
}
