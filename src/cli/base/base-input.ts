import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type BaseLock, type BaseSpec, parseLock, readBaseFile, type ResolveOptions } from '#debian'
import { type ProgressSink, type Source, UserError } from '#diagnostics'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'

/** A base file as the command line names it. */
export interface BaseInput {
  readonly source: Source
  readonly spec: BaseSpec
  /** Where its lock is, or would be: `base.lock` beside `base.yaml`. As the base file is named. */
  readonly lockPath: string
  /** Undefined where there is none. */
  readonly lock: BaseLock | undefined
}

/** Reads a base file and the lock beside it. Throws a `UserError`. */
export async function readBase(file: string, context: CliContext): Promise<BaseInput> {
  const text = await readText(file, context)
  if (text === undefined) {
    throw new UserError(`there is no base file ${JSON.stringify(file)}`, {
      hint: 'name a YAML file that says at least which suite, such as "suite: bookworm"',
    })
  }
  const source = { name: file, text }
  const lockPath = `${file.replace(/\.ya?ml$/, '')}.lock`
  const locked = await readText(lockPath, context)
  const lock = locked === undefined ? undefined : parseLock({ name: lockPath, text: locked })
  return { source, spec: readBaseFile(source), lockPath, lock }
}

async function readText(file: string, { directory }: CliContext): Promise<string | undefined> {
  try {
    return await readFile(resolve(directory, file), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined
    throw error
  }
}

interface Resolving {
  readonly store: Store
  readonly progress: ProgressSink
  readonly nextId: () => number
}

/** What finding packages needs, from the command's surroundings; without the lock. */
export function resolveOptions(
  { source }: BaseInput,
  { store, progress, nextId }: Resolving,
  context: CliContext,
): ResolveOptions {
  return {
    cacheDirectory: packageCache(store, context),
    directory: dirname(resolve(context.directory, source.name)),
    env: context.environment,
    progress,
    nextId,
    signal: context.interrupts.signal,
  }
}

/** `SLIPWAY_PACKAGE_CACHE`, which several stores may share, else a part of the store. */
function packageCache(store: Store, { environment, directory }: CliContext): string {
  const { SLIPWAY_PACKAGE_CACHE } = environment
  return SLIPWAY_PACKAGE_CACHE ? resolve(directory, SLIPWAY_PACKAGE_CACHE) : store.directory('packages')
}
