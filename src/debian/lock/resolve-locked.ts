import { UserError } from '#diagnostics'
import type { BaseSpec } from '../base-spec.ts'
import { type FetchContext, fetchPackages } from '../fetch-packages.ts'
import { createOmissions } from '../minimal/omissions.ts'
import { readPackageRecord } from '../package-record.ts'
import type { DebFile } from '../deb-file.ts'
import { type ObtainedBase, openPackages } from '../read-packages.ts'
import type { ResolvedPackage, UsedSuite } from '../resolve-base.ts'
import type { Repository } from '../select-repositories.ts'
import type { BaseLock, LockedPackage, LockedSuite, LockedSystem } from './base-lock.ts'

export interface LockedContext extends FetchContext {
  readonly repositories: readonly Repository[]
}

/** What a lock says for an architecture, and where that comes from. Nothing is asked of a mirror. Throws a `UserError`. */
export function chooseLocked(
  lock: BaseLock,
  architecture: string,
  repositories: readonly Repository[],
): { readonly locked: LockedSystem; readonly suites: readonly UsedSuite[] } {
  const locked = lock.systems.find(system => system.architecture === architecture)
  if (locked) return { locked, suites: locked.suites.map(suite => usedSuite(suite, repositories)) }
  throw new UserError(`the lock has no packages for ${architecture}`, {
    hint: `it has ${lock.systems.map(system => system.architecture).join(', ')}; list architectures in the base file and lock again`,
  })
}

/**
 * The packages that a lock names, fetched where the cache lacks them, and what their control files say. No index is read, nothing
 * is solved; where the cache has everything, nothing is asked of a mirror. Throws a `UserError`.
 */
export async function resolveLocked(
  spec: BaseSpec,
  { locked: system, suites }: ReturnType<typeof chooseLocked>,
  context: LockedContext,
): Promise<ObtainedBase> {
  const wanted = system.packages.map(item => ({ record: item, uris: urisOf(item, suites, context.repositories) }))
  const paths = await fetchPackages(wanted, { ...context, isLocked: true })
  const files = await openPackages(system.packages, paths, context.signal)
  const packages = wanted.map(
    ({ record: locked, uris }): ResolvedPackage => ({
      record: recordOf(locked, files.get(locked.name)),
      uris,
      suite: locked.suite,
      automatic: locked.automatic,
    }),
  )
  const core = new Set(system.packages.filter(item => item.core).map(item => item.name))
  const omissions =
    spec.kind === 'minimal'
      ? createOmissions(
          spec.omit,
          spec.packages.map(({ relation }) => relation.name),
        )
      : undefined
  const omitted = omissions ? packages.flatMap(({ record }) => omissions.omitted(record)) : []
  return { resolved: { packages, core, suites, omitted }, files }
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

function recordOf(locked: LockedPackage, deb: DebFile | undefined): ResolvedPackage['record'] {
  const control = deb?.control.get('control')?.bytes.toString('utf8') ?? ''
  const { filename, size, sha256, installedSize } = locked
  return { ...readPackageRecord(control, locked.suite), filename, size, sha256, installedSize }
}
