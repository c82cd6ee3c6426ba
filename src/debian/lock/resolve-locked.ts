import { UserError } from '#diagnostics'
import type { BaseSpec } from '../base-spec.ts'
import { type FetchContext, fetchPackages } from '../fetch-packages.ts'
import { createOmissions } from '../minimal/omissions.ts'
import { readPackageRecord } from '../package-record.ts'
import { readDebFile } from '../deb-file.ts'
import type { ResolvedBase, ResolvedPackage, UsedSuite } from '../resolve-base.ts'
import type { Repository } from '../select-repositories.ts'
import type { BaseLock, LockedPackage, LockedSuite, LockedSystem } from './base-lock.ts'

export interface LockedContext extends FetchContext {
  readonly repositories: readonly Repository[]
  readonly architecture: string
}

/**
 * The packages that a lock names, fetched where the cache lacks them, and what their control files say. No index is read, nothing
 * is solved; where the cache has everything, nothing is asked of a mirror. Throws a `UserError`.
 */
export async function resolveLocked(
  spec: BaseSpec,
  lock: BaseLock,
  context: LockedContext,
): Promise<{ readonly resolved: ResolvedBase; readonly paths: ReadonlyMap<string, string> }> {
  const system = systemOf(lock, context.architecture)
  const suites = system.suites.map(locked => usedSuite(locked, context.repositories))
  const wanted = system.packages.map(item => ({ record: item, uris: urisOf(item, suites, context.repositories) }))
  const paths = await fetchPackages(wanted, { ...context, isLocked: true })
  const packages: ResolvedPackage[] = []
  for (const { record: locked, uris } of wanted) {
    packages.push({
      record: await readRecord(locked, paths.get(locked.name) ?? ''),
      uris,
      suite: locked.suite,
      automatic: locked.automatic,
    })
  }
  const core = new Set(system.packages.filter(item => item.core).map(item => item.name))
  const omissions =
    spec.kind === 'minimal'
      ? createOmissions(
          spec.omit,
          spec.packages.map(({ relation }) => relation.name),
        )
      : undefined
  const omitted = omissions ? packages.flatMap(({ record }) => omissions.omitted(record)) : []
  return { resolved: { packages, core, suites, omitted }, paths }
}

function systemOf({ systems }: BaseLock, architecture: string): LockedSystem {
  const found = systems.find(system => system.architecture === architecture)
  if (found) return found
  throw new UserError(`the lock has no packages for ${architecture}`, {
    hint: `it has ${systems.map(system => system.architecture).join(', ')}; list architectures in the base file and lock again`,
  })
}

function usedSuite({ suite, components, origin, date }: LockedSuite, repositories: readonly Repository[]): UsedSuite {
  const repository = repositories.find(candidate => candidate.suite === suite)
  if (repository) return { repository, components, release: { origin, date } }
  throw new UserError(`the lock has packages of ${suite}, for which no mirror is known`, {
    hint: 'name one in the base file, or set SLIPWAY_DEBIAN_MIRROR',
  })
}

/** First where its own suite is, then wherever else the file may be. */
function urisOf(
  { suite }: LockedPackage,
  suites: readonly UsedSuite[],
  repositories: readonly Repository[],
): readonly string[] {
  const own = suites[suite]?.repository.suite
  const matching = repositories.filter(repository => repository.suite === own)
  return [...new Set([...matching, ...repositories].map(repository => repository.uri))]
}

async function readRecord(locked: LockedPackage, path: string): Promise<ResolvedPackage['record']> {
  const deb = await readDebFile(path, locked, `package ${locked.name}`)
  const control = deb.control.get('control')?.bytes.toString('utf8') ?? ''
  const { filename, size, sha256, installedSize } = locked
  return { ...readPackageRecord(control, locked.suite), filename, size, sha256, installedSize }
}
