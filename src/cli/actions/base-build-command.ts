import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { addBaseImage } from '#build'
import { type BaseSpec, composeBase, type ComposedBase, type NamedArchitecture, readBaseFile } from '#debian'
import { type ProgressSink, type Source, UserError } from '#diagnostics'
import { type Digest, familiarReference, hostPlatform, platformMatches, type Reference } from '#oci'
import type { Store } from '#store'
import type { BaseBuildFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import { reportResult } from '../progress/report-result.ts'
import { type ActivityTeller, idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'

/** `slipway base build`. */
export async function baseBuildCommand(file: string, flags: BaseBuildFlags, context: CliContext): Promise<number> {
  const source = await readSource(file, context)
  const spec = readBaseFile(source)
  const inner = await enterNamespace(context, spec.kind === 'full')
  if (inner !== undefined) return inner
  const mode = flags.quiet ? 'quiet' : flags.progress
  return withStore(context, async store => {
    const images = await withProgress(mode, context, progress => composeAll({ spec, source, store, progress }, context))
    for (const { image, references } of named(images, flags.tag ?? [])) {
      for (const reference of references) store.images.tag(reference, image.id)
      reportResult({ id: image.id, names: references.map(familiarReference) }, mode, context)
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

async function readSource(file: string, { directory }: CliContext): Promise<Source> {
  try {
    return { name: file, text: await readFile(resolve(directory, file), 'utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'ENOTDIR') throw error
    throw new UserError(`there is no base file ${JSON.stringify(file)}`, {
      hint: 'name a YAML file that says at least which suite, such as "suite: bookworm"',
      cause: error,
    })
  }
}

interface Composing {
  readonly spec: BaseSpec
  readonly source: Source
  readonly store: Store
  readonly progress: ProgressSink
}

/** Makes one image for each architecture that the file lists. */
async function composeAll(composing: Composing, context: CliContext): Promise<readonly BaseImage[]> {
  const teller = { progress: composing.progress, nextId: idCounter(), now: context.now }
  const { architectures } = composing.spec
  const images: BaseImage[] = []
  for (const architecture of architectures.length > 0 ? architectures : [undefined]) {
    images.push(await compose(composing, { architecture, teller }, context))
  }
  return images
}

interface BaseImage {
  readonly id: Digest
  readonly base: ComposedBase
}

async function compose(
  { spec, source, store, progress }: Composing,
  { architecture, teller }: { readonly architecture: NamedArchitecture | undefined; readonly teller: ActivityTeller },
  context: CliContext,
): Promise<BaseImage> {
  const [target, scratch] = [await store.temporary('base'), await store.temporary('base-scratch')]
  for (const path of [target, scratch]) await mkdir(path, { mode: 0o755 })
  const { signal } = context.interrupts
  const base = await composeBase(spec, {
    target,
    scratch,
    cacheDirectory: packageCache(store, context),
    directory: dirname(resolve(context.directory, source.name)),
    env: context.environment,
    progress,
    nextId: teller.nextId,
    signal,
    ...(architecture && { architecture }),
  })
  const id = await tellActivity(teller, 'storing the image', () =>
    addBaseImage(store, { base, spec, text: source.text, signal }),
  )
  await rm(target, { recursive: true, force: true })
  return { id, base }
}

/** `SLIPWAY_PACKAGE_CACHE`, which several stores may share, else a part of the store. */
function packageCache(store: Store, { environment, directory }: CliContext): string {
  const { SLIPWAY_PACKAGE_CACHE } = environment
  return SLIPWAY_PACKAGE_CACHE ? resolve(directory, SLIPWAY_PACKAGE_CACHE) : store.directory('packages')
}
