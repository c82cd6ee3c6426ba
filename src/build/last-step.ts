import type { StagePlan, Step } from '#plan'
import type { RememberedStage, RememberedStep } from './step-memory.ts'

/**
 * The step of the last build to compare with: the one with the same text that is nearest; else the one in the same
 * place, if it is the one that was written anew.
 */
export function lastOf(
  before: RememberedStage,
  { step, index, stage }: { readonly step: Step; readonly index: number; readonly stage: StagePlan },
): RememberedStep | undefined {
  const distance = (i: number): number => Math.abs(i - index)
  const equal = before.steps.flatMap((each, i) => (each.text === step.text && each.kind === step.kind ? [i] : []))
  const nearest = equal.sort((a, b) => distance(a) - distance(b))[0]
  if (nearest !== undefined) return before.steps[nearest]
  const there = before.steps[index]
  const isElsewhere = stage.steps.some(each => each.text === there?.text)
  return there?.kind === step.kind && !isElsewhere ? there : undefined
}
