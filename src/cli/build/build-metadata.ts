import type { BuiltImage, StepReport } from '#build'
import { type Descriptor, formatReference, type Reference } from '#oci'
import { layerEntries } from '#rootfs'
import type { Store } from '#store'

/** What came out of a build. */
export interface BuildOutcome {
  readonly built: BuiltImage
  readonly references: readonly Reference[]
  /** Where a manifest was written. */
  readonly manifest?: Descriptor
}

/** The JSON of `--metadata-file`: BuildKit's keys, and what became of every step. */
export async function buildMetadata(store: Store, { built, references, manifest }: BuildOutcome): Promise<string> {
  const steps = []
  for (const step of built.steps) steps.push(await describeStep(store, step))
  const object = {
    'containerimage.config.digest': built.id,
    ...(manifest && {
      'containerimage.descriptor': manifest,
      'containerimage.digest': manifest.digest,
    }),
    ...(references.length > 0 && { 'image.name': references.map(formatReference).join(',') }),
    'slipway.steps': steps,
  }
  return `${JSON.stringify(object, undefined, 2)}\n`
}

async function describeStep(store: Store, step: StepReport): Promise<object> {
  // Only now is it asked how large the layers are that no image holds.
  if (store.layers.get(step.layer.id)?.size === undefined) await layerEntries(store, step.chain)
  return {
    stage: step.stage,
    line: step.line,
    instruction: step.instruction,
    cached: step.cached,
    duration_ms: step.durationMs,
    layer: step.layer.id,
    size: store.layers.get(step.layer.id)?.size ?? 0,
  }
}
