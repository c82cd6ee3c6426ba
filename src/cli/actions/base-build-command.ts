import { mkdir, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { addDirectoryImage } from '#build'
import { composeBase, type ComposedBase, readBaseFile } from '#debian'
import { type ProgressSink, type Source, UserError } from '#diagnostics'
import { assembleImage } from '#image'
import { type Digest, familiarReference } from '#oci'
import { cacheKey, type Store } from '#store'
import type { BaseBuildFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import { reportResult } from '../progress/report-result.ts'
import { idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'

/** `slipway base build`. */
export async function baseBuildCommand(file: string, flags: BaseBuildFlags, context: CliContext): Promise<number> {
  const source = await readSource(file, context)
  const spec = readBaseFile(source)
  const inner = await enterNamespace(context, true)
  if (inner !== undefined) return inner
  const mode = flags.quiet ? 'quiet' : flags.progress
  return withStore(context, async store => {
    const id = await withProgress(mode, context, progress => compose({ spec, source, store, progress }, context))
    const references = flags.tag ?? []
    for (const reference of references) store.images.tag(reference, id)
    reportResult({ id, names: references.map(familiarReference) }, mode, context)
    return 0
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
  readonly spec: ReturnType<typeof readBaseFile>
  readonly source: Source
  readonly store: Store
  readonly progress: ProgressSink
}

async function compose({ spec, source, store, progress }: Composing, context: CliContext): Promise<Digest> {
  const [target, scratch] = [await store.temporary('base'), await store.temporary('base-scratch')]
  for (const path of [target, scratch]) await mkdir(path, { mode: 0o755 })
  const nextId = idCounter()
  const base = await composeBase(spec, {
    target,
    scratch,
    cacheDirectory: packageCache(store, context),
    directory: dirname(resolve(context.directory, source.name)),
    env: context.environment,
    progress,
    nextId,
    signal: context.interrupts.signal,
  })
  return tellActivity({ progress, nextId, now: context.now }, 'storing the image', () =>
    addDirectoryImage(store, {
      directory: target,
      key: cacheKey('base', { spec: source.text, packages: base.packages.map(({ sha256 }) => sha256) }),
      created: new Date(base.created).toISOString(),
      config: diffId => configOf(base, diffId, spec.suite),
    }),
  )
}

/** `SLIPWAY_PACKAGE_CACHE`, which several stores may share, else a part of the store. */
function packageCache(store: Store, { environment, directory }: CliContext): string {
  const { SLIPWAY_PACKAGE_CACHE } = environment
  return SLIPWAY_PACKAGE_CACHE ? resolve(directory, SLIPWAY_PACKAGE_CACHE) : store.directory('packages')
}

function configOf({ platform, config, packages, created }: ComposedBase, diffId: Digest, suite: string): Uint8Array {
  const count = packages.length
  return assembleImage({
    platform,
    config,
    layers: [{ diffId, created: new Date(created).toISOString() }],
    history: [{ createdBy: `slipway base build # ${suite}, ${count} packages`, layer: 0 }],
  })
}
