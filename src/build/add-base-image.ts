import { type BaseSpec, type ComposedBase, type ComposedSystem, cutLayers } from '#debian'
import { assembleImage } from '#image'
import { type Digest, parseDigest } from '#oci'
import { cacheKey, type Store } from '#store'
import { rememberBase } from './base-memory.ts'
import { addDirectoryImage, addTreeImage } from './import-image.ts'

export interface IncomingBase {
  readonly base: ComposedBase
  readonly spec: BaseSpec
  /** The base file. */
  readonly text: string
  readonly signal: AbortSignal
}

/**
 * Takes a composed base into the store as an image, without a name, cut into layers as its file says, and remembers it; returns its
 * id. One that was remembered is there already.
 */
export async function addBaseImage(store: Store, incoming: IncomingBase): Promise<Digest> {
  const { base } = incoming
  if (base.system.kind === 'remembered') return parseDigest(base.system.name)
  const image = await addComposed(store, incoming, base.system)
  rememberBase(store, image, base)
  return image
}

async function addComposed(
  store: Store,
  { base, spec, text, signal }: IncomingBase,
  system: Exclude<ComposedSystem, { kind: 'remembered' }>,
): Promise<Digest> {
  const created = new Date(base.created).toISOString()
  const names = base.locked.packages.map(({ name }) => name).sort()
  if (system.kind === 'directory') {
    return addDirectoryImage(store, {
      directory: system.path,
      key: cacheKey('base', { spec: text, packages: base.locked.packages.map(({ sha256 }) => sha256) }),
      created,
      config: diffId => baseConfig(base, spec, [{ diffId, packages: names }]),
    })
  }
  const { entries, owner } = system
  const source = new Map(base.locked.packages.map(item => [item.name, item.source]))
  const layers = cutLayers(entries, { layers: spec.layers, owner, source })
  return addTreeImage(store, {
    layers: layers.map(layer => layer.entries),
    created,
    signal,
    config: diffIds => {
      const described = layers.map(({ packages }, i) => ({ diffId: diffIds[i] as Digest, packages }))
      return baseConfig(base, spec, described)
    },
  })
}

interface BaseLayer {
  readonly diffId: Digest
  readonly packages: readonly string[]
}

function baseConfig(base: ComposedBase, spec: BaseSpec, layers: readonly BaseLayer[]): Uint8Array {
  const { platform, config } = base
  const created = new Date(base.created).toISOString()
  return assembleImage({
    platform,
    config,
    layers: layers.map(({ diffId }) => ({ diffId, created })),
    history: layers.map(({ packages }, layer) => ({ createdBy: describeLayer(spec, packages), layer })),
  })
}

/** Names that a history line shows before it counts the rest. */
const namesShown = 8

function describeLayer({ suite, kind }: BaseSpec, packages: readonly string[]): string {
  const what = `slipway base build # ${suite}, ${kind}`
  if (packages.length === 0) return `${what}: settings`
  const rest = packages.length - namesShown
  return `${what}: ${packages.slice(0, namesShown).join(' ')}${rest > 0 ? ` and ${rest} more packages` : ''}`
}
