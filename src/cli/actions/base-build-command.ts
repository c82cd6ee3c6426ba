import { mkdir, rm } from 'node:fs/promises'
import { addBaseImage, openBaseMemory } from '#build'
import {
  type BaseMemory,
  composeBase,
  type ComposedBase,
  type ComposePlace,
  type NamedArchitecture,
  targetArchitecture,
} from '#debian'
import type { ProgressSink } from '#diagnostics'
import { type Digest, familiarReference, hostPlatform, platformMatches, type Reference } from '#oci'
import type { LayerRecord, Store } from '#store'
import { type BaseInput, readBase, resolveOptions } from '../base/base-input.ts'
import { composePlace } from '../base/compose-place.ts'
import { composerName } from '../base/composer-name.ts'
import { omissionsText } from '../base/omissions-text.ts'
import { sbomFormatOf, writeSboms } from '../base/write-sbom.ts'
import { writeOutputs } from '../build/write-outputs.ts'
import type { BaseBuildFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import { reportResult } from '../progress/report-result.ts'
import { type ActivityTeller, idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'

/** `slipway base build`. */
export async function baseBuildCommand(file: string, flags: BaseBuildFlags, context: CliContext): Promise<number> {
  const read = await readBase(file, context)
  const input = flags.lock ? read : { ...read, lock: undefined }
  for (const path of flags.sbom ?? []) sbomFormatOf(path)
  const inner = await enterNamespace(context, input.spec.kind === 'full')
  if (inner !== undefined) return inner
  const mode = flags.quiet ? 'quiet' : flags.progress
  return withStore(context, async store => {
    const images = await withProgress(mode, context, async progress => {
      const made = await composeAll({ input, store, progress, isCached: flags.cache }, context)
      await writeAll(made, { input, store, progress, flags }, context)
      return made
    })
    for (const { image, references } of named(images, flags.tag ?? [])) {
      const { id, base } = image
      if (mode !== 'quiet' && mode !== 'json') context.stderr.write(omissionsText(base))
      for (const reference of references) store.images.tag(reference, id)
      const omitted = input.spec.kind === 'minimal' && { omitted: base.omitted }
      reportResult({ id, names: references.map(familiarReference), ...omitted }, mode, context)
    }
    return 0
  })
}

/**
 * Names for the images: a name of the local store is that of one image, the one that runs here where there is one; of several, each
 * gets the name with its architecture, too.
 */
function named(
  images: readonly BaseImage[],
  tags: readonly Reference[],
): readonly { readonly image: BaseImage; readonly references: readonly Reference[] }[] {
  const local = images.find(({ base }) => platformMatches(base.platform, hostPlatform())) ?? images[0]
  return images.map(image => {
    const own = tags.map(tag => ({ ...tag, tag: `${tag.tag ?? 'latest'}-${image.base.architecture}` }))
    return { image, references: [...(image === local ? tags : []), ...(images.length > 1 ? own : [])] }
  })
}

interface Composing {
  readonly input: BaseInput
  readonly store: Store
  readonly progress: ProgressSink
  /** Whether what was composed before counts. */
  readonly isCached: boolean
}

/** Makes one image for each architecture that the file lists. */
async function composeAll(composing: Composing, context: CliContext): Promise<readonly BaseImage[]> {
  const teller = { progress: composing.progress, nextId: idCounter(), now: context.now }
  const { architectures, kind } = composing.input.spec
  // Before the first one is made.
  for (const architecture of architectures) targetArchitecture(kind, architecture)
  const known = openBaseMemory(composing.store, await composerName())
  const memory = composing.isCached ? known : { ...known, recall: () => undefined }
  const images: BaseImage[] = []
  for (const architecture of architectures.length > 0 ? architectures : [undefined]) {
    images.push(await compose(composing, { architecture, teller, memory }, context))
  }
  return images
}

interface BaseImage {
  readonly id: Digest
  readonly base: ComposedBase
}

interface ComposingOne {
  readonly architecture: NamedArchitecture | undefined
  readonly teller: ActivityTeller
  readonly memory: BaseMemory
}

async function compose(
  { input, store, progress }: Composing,
  { architecture, teller, memory }: ComposingOne,
  context: CliContext,
): Promise<BaseImage> {
  const scratch = await store.temporary('base-scratch')
  await mkdir(scratch, { mode: 0o755 })
  const { signal } = context.interrupts
  let place: ComposePlace | undefined
  const base = await composeBase(input.spec, {
    ...resolveOptions(input, { store, progress, nextId: teller.nextId }, context),
    target: async bytes => (place = await composePlace(store, bytes)),
    scratch,
    memory,
    ...(input.lock && { lock: input.lock }),
    ...(architecture && { architecture }),
  })
  const add = (): Promise<Digest> => addBaseImage(store, { base, spec: input.spec, text: input.source.text, signal })
  if (base.system.kind === 'remembered') return { id: await add(), base }
  const id = await tellActivity(teller, 'storing the image', add)
  if (place) await rm(place.path, { recursive: true, force: true })
  return { id, base }
}

interface Writing extends Omit<Composing, 'isCached'> {
  readonly flags: BaseBuildFlags
}

/** Outputs and bills of materials. */
async function writeAll(
  images: readonly BaseImage[],
  { input, store, progress, flags }: Writing,
  context: CliContext,
): Promise<void> {
  const teller = { progress, nextId: idCounter(), now: context.now }
  const built = await Promise.all(
    images.map(async ({ id, base }) => ({
      platform: base.platform,
      built: { id, config: await store.blobs.get(id), chain: chainOf(store, id), baseLayers: 0, steps: [] },
    })),
  )
  const references = flags.tag ?? []
  await writeOutputs(
    flags.output ?? [],
    { store, images: built, references, annotations: [], teller, registryFlags: flags },
    context,
  )
  const systems = images.map(({ base }) => base.locked)
  await writeSboms(flags.sbom ?? [], { input, systems }, context)
}

function chainOf(store: Store, id: Digest): readonly LayerRecord[] {
  return (store.images.get(id)?.layers ?? []).map(layer => store.layers.get(layer) as LayerRecord)
}
