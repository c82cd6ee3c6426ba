import type { BuiltImage, StepReport } from '#build'
import { type Descriptor, formatPlatform, formatReference, type Platform, type Reference } from '#oci'
import { layerEntries } from '#rootfs'
import { isElsewhere, type Store } from '#store'

/** What came out of a build. */
export interface BuildOutcome {
  /** One for each platform. */
  readonly images: readonly PlatformImage[]
  /** The one of them that has the names in the local store. */
  readonly named: BuiltImage
  readonly references: readonly Reference[]
  /** Of the manifest, or of the index of several, where one was written. */
  readonly manifest?: Descriptor
}

export interface PlatformImage {
  readonly platform: Platform
  readonly built: BuiltImage
}

/** The JSON of `--metadata-file`: BuildKit's keys, and what became of every step. */
export async function buildMetadata(
  store: Store,
  { images, named, references, manifest }: BuildOutcome,
): Promise<string> {
  const steps = []
  const several = images.length > 1
  for (const { platform, built } of images) {
    for (const step of built.steps)
      steps.push({ ...(several && { platform: formatPlatform(platform) }), ...(await describeStep(store, step)) })
  }
  const object = {
    ...(!several && { 'containerimage.config.digest': named.id }),
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
  const known = store.layers.get(step.layer.id) ?? step.layer
  if (known.size === undefined && !isElsewhere(known)) await layerEntries(store, step.chain)
  return {
    stage: step.stage,
    line: step.line,
    instruction: step.instruction,
    cached: step.cached,
    duration_ms: step.durationMs,
    layer: step.layer.id,
    size: store.layers.get(step.layer.id)?.size ?? step.layer.size ?? 0,
  }
}
