import { resolve } from 'node:path'
import {
  type BuiltImage,
  type CacheArchive,
  exportCache,
  type MountChoice,
  mountContents,
  openCache,
  type OpenedCache,
  packMounts,
  type SolveOptions,
} from '#build'
import { UserError, type WarningSink } from '#diagnostics'
import { pushLayers } from '#image'
import type { Descriptor, Digest } from '#oci'
import type { BuildPlan } from '#plan'
import type { Store } from '#store'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import type { CacheFromOption, CachePlace, ExportedCacheOption } from '../options/cache.ts'
import { layoutPlace, openPlaces } from '../places.ts'
import { type ActivityTeller, tellActivity } from '../progress/tell-activity.ts'

/** What caches are opened and written with. */
export interface CacheWork {
  readonly store: Store
  readonly teller: ActivityTeller
  readonly warn: WarningSink
}

/** What a build begins with that others made. */
export type CacheStart = Pick<SolveOptions, 'caches' | 'mountContents'>

/** Opens the caches of `--cache-from`: their records only. One that cannot be used is told in a warning. */
export async function openCaches(
  options: readonly CacheFromOption[],
  { store, teller, warn }: CacheWork,
  context: CliContext,
): Promise<CacheStart> {
  const { signal } = context.interrupts
  const caches: OpenedCache[] = []
  for (const option of options) {
    const repository = repositoryOf(option, context)
    const name = option.type === 'local' ? option.name : (option.reference.digest ?? option.reference.tag ?? 'latest')
    const what = option.type === 'local' ? option.directory : option.text.replace(/^.*\bref=([^,]*).*$/, '$1')
    try {
      const opened = await tellActivity(teller, `importing cache ${what}`, async () =>
        openCache({ source: await store.openPlace(repository), repository, name, what }),
      )
      caches.push(...opened)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UserError)) throw error
      warn({ code: 'CacheImport', message: `the cache ${what} is not used: ${error.message}`, hint: error.hint })
    }
  }
  const choice = allMounts(options)
  return { caches, ...(choice && { mountContents: mountContents(store, caches, { choice, warn, signal }) }) }
}

function allMounts(options: readonly CacheFromOption[]): MountChoice | undefined {
  const chosen = options.flatMap(({ mounts }) => mounts ?? [])
  if (chosen.length === 0) return undefined
  return { ids: chosen.flatMap(({ ids }) => ids), maxSize: Math.max(...chosen.map(({ maxSize }) => maxSize)) }
}

function repositoryOf(place: CachePlace, { directory }: CliContext): string {
  return place.type === 'local'
    ? `${layoutPlace}${resolve(directory, place.directory)}`
    : `${place.reference.domain}/${place.reference.path}`
}

/** What was built, to be written as caches. */
export interface CacheWriting extends CacheWork {
  readonly flags: BuildFlags
  readonly plans: readonly BuildPlan[]
  readonly images: readonly BuiltImage[]
  readonly caches: readonly OpenedCache[]
}

/** Writes the caches of `--cache-to`. Throws a `UserError` when one cannot be written, unless that does not matter. */
export async function writeCaches(
  options: readonly ExportedCacheOption[],
  writing: CacheWriting,
  context: CliContext,
): Promise<void> {
  for (const option of options) {
    try {
      await writeCache(option, writing, context)
    } catch (error) {
      context.interrupts.signal.throwIfAborted()
      if (!option.ignoreError || !(error instanceof UserError)) throw error
      writing.warn({ code: 'CacheExport', message: `the cache was not written: ${error.message}`, hint: error.hint })
    }
  }
}

async function writeCache(option: ExportedCacheOption, writing: CacheWriting, context: CliContext): Promise<void> {
  const { store, flags, plans, images, caches, teller, warn } = writing
  const { signal } = context.interrupts
  await using places = openPlaces(flags, context)
  const repository = await places.open(repositoryOf(option, context))
  const tag = option.type === 'local' ? option.name : (option.reference.tag ?? 'latest')
  const mounts = option.mounts ? await packMounts(store, plans, { choice: option.mounts, warn, signal }) : []
  const { compression, level, force } = option
  await tellActivity(teller, `exporting cache to ${placeText(option)}`, report => {
    const publishArchives = (archives: readonly CacheArchive[]): Promise<ReadonlyMap<Digest, Descriptor>> =>
      pushLayers(archives, {
        repository,
        packing: { compression, ...(level !== undefined && { level }), ...(force && { force }) },
        forms: store.layers,
        openPlace: place => store.openPlace(place),
        report,
        signal,
      })
    return exportCache(
      { store, images, caches, mode: option.mode, signal },
      { repository, tag, publishArchives },
      mounts,
    )
  })
}

function placeText(option: ExportedCacheOption): string {
  return option.type === 'local' ? option.directory : option.text.replace(/^.*\bref=([^,]*).*$/, '$1')
}
