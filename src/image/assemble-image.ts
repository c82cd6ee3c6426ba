import type { ContainerConfig, Digest, HistoryEntry, ImageConfig, Platform } from '#oci'

export interface NewHistory {
  readonly createdBy: string
  /** Position in `layers` of the layer that the instruction made; absent for an instruction without one. */
  readonly layer?: number
}

export interface ImageParts {
  readonly platform: Platform
  readonly config: ContainerConfig
  readonly author?: string
  /** Configuration of the image that FROM named: its history and unknown keys are kept. */
  readonly base?: ImageConfig
  /** All layers, base first, with the time each was made (RFC 3339). */
  readonly layers: readonly { readonly diffId: Digest; readonly created: string }[]
  /** Entries below which the base's stand, in order. */
  readonly history: readonly NewHistory[]
}

const comment = 'buildkit.dockerfile.v0'

/**
 * Assembles an image configuration (image-spec, config.md) as compact JSON. Entries without a layer get the time of the
 * next layer, or of the last; the image is as old as its newest layer.
 */
export function assembleImage(parts: ImageParts): Uint8Array {
  const { base, platform, layers } = parts
  const created = newest(layers.map(layer => layer.created)) ?? base?.created ?? '1970-01-01T00:00:00Z'
  const {
    config: _config,
    rootfs: _rootfs,
    history: _history,
    ...kept
  } = base ?? { config: {}, rootfs: {}, history: [] }
  const author = parts.author ?? base?.author
  const image: ImageConfig = {
    ...kept,
    architecture: platform.architecture,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    os: platform.os,
    ...(author !== undefined && { author }),
    created,
    config: parts.config,
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history: [...baseHistory(parts), ...newHistory(parts, created)],
  }
  return Buffer.from(JSON.stringify(image))
}

function newest(times: readonly string[]): string | undefined {
  return times.reduce<string | undefined>(
    (best, time) => (best === undefined || Date.parse(time) > Date.parse(best) ? time : best),
    undefined,
  )
}

/** Layers that no entry speaks of get one, so that entries and layers agree in number (section 10.2 of the language page). */
function baseHistory({ base, layers, history }: ImageParts): readonly HistoryEntry[] {
  const entries = base?.history ?? []
  const described = entries.filter(entry => entry.empty_layer !== true).length
  const own = history.filter(entry => entry.layer !== undefined).length
  const missing = Math.max(0, layers.length - own - described)
  const pads = layers
    .slice(described, described + missing)
    .map(layer => ({ created: layer.created, comment: 'buildkit.exporter.image.v0' }))
  return [...entries, ...pads]
}

function newHistory({ history, layers }: ImageParts, last: string): HistoryEntry[] {
  return history.map((entry, i) => {
    const next = entry.layer ?? history.slice(i).find(later => later.layer !== undefined)?.layer
    const created = (next === undefined ? undefined : layers[next]?.created) ?? last
    return { created, created_by: entry.createdBy, comment, ...(entry.layer === undefined && { empty_layer: true }) }
  })
}
