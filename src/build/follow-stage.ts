import type { StagePlan, Step } from '#plan'
import type { Chain } from '#rootfs'
import type { Store } from '#store'
import { lastOf } from './last-step.ts'
import { type CacheKey, identityOf, type StepInputs } from './step-kind.ts'
import { type RememberedStage, type RememberedStep, rememberStep, type StepMemory } from './step-memory.ts'

/** Follows a stage while it is built: keeps what its steps were made from, and says why one missed. */
export interface StageFollower {
  /** Takes what is known of a step; again when more is known. */
  take(index: number, keys: readonly CacheKey[]): Promise<void>
  /** Tells whether the step hit, and if not, why. Call after `take`. */
  tell(index: number, hit: boolean, to: StepInputs['report']): Promise<void>
}

export interface Following {
  readonly store: Store
  readonly stage: StagePlan
  /** What the stage is built from. */
  readonly base: Chain
  readonly baseName: string
  readonly memory: StepMemory
  readonly explain: boolean
  readonly mayHit: boolean
}

export function followStage({ store, stage, base, baseName, memory, explain, mayHit }: Following): StageFollower {
  const before = memory.stage(stage)
  const id = stage.base.kind === 'image' ? stage.base.image.id : identityOf(base)
  let now: RememberedStage = { base: { name: baseName, id }, steps: [] }
  return {
    take: async (index, keys) => {
      const step = stage.steps[index] as Step
      const last = before && lastOf(before, { step, index, stage })
      const steps: RememberedStep[] = [...now.steps.slice(0, index), rememberStep(step, keys, last)]
      now = { ...now, steps }
      memory.remember(stage, now)
      for (const { digest, text } of keys.flatMap(key => key.listings ?? []))
        await store.lastBuilds.keepListing(digest, text)
    },
    tell: async (index, hit, to) => {
      if (!explain) return
      if (hit) return to({ kind: 'cache', hit, reasons: [] })
      const { explainMiss } = await import('./explain-step.ts')
      to({ kind: 'cache', hit, reasons: explainMiss({ store, stage, index, now, before, mayHit }) })
    },
  }
}
