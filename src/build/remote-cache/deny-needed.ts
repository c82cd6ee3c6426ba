import type { SourceRef, Step } from '#plan'
import type { Chain } from '#rootfs'
import { predictStages } from '../predict-plan.ts'
import type { SolveOptions } from '../solve.ts'
import type { CachedStore } from './cached-store.ts'

/**
 * Looks ahead for layers that a cache has the names of only, and whose files this build needs: those below and in the sources of
 * steps that miss, and those of the result. They are not counted on then, which may make more steps miss, and so on.
 */
export async function denyNeeded(options: SolveOptions, cached: CachedStore): Promise<void> {
  const { plan } = options
  for (let grows = true; grows; ) {
    grows = false
    const { stages, chains } = await predictStages(options)
    const deny = (chain: Chain | undefined): void => {
      for (const layer of chain ?? []) if (layer.unavailable && cached.deny(layer)) grows = true
    }
    for (const stage of stages) {
      const chain = chains[stage.index] ?? []
      const first = chain.length - stage.steps.length
      for (const [i, step] of stage.steps.entries()) {
        if (step.cache === 'hit') continue
        deny(chain.slice(0, first + i))
        for (const index of stagesRead(step)) deny(chains[index])
      }
    }
    // With an epoch the result has layers of its own, which the cache may have.
    if (plan.epoch === undefined) deny(chains[plan.target])
  }
}

function stagesRead(step: Step): readonly number[] {
  const refs: (SourceRef | undefined)[] =
    step.kind === 'copy'
      ? [step.from]
      : step.kind === 'run'
        ? step.mounts.map(mount => (mount.type === 'bind' || mount.type === 'cache' ? mount.from : undefined))
        : []
  return refs.flatMap(ref => (ref?.kind === 'stage' ? [ref.stage] : []))
}
