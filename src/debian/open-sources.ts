import { resolve } from 'node:path'
import { type Http, openHttp } from '#http'
import type { BaseSpec, NamedArchitecture } from './base-spec.ts'
import { createReporter, type Reporter, type ResolveOptions } from './compose-options.ts'
import { type DebianArchitecture, targetArchitecture } from './debian-architecture.ts'
import { fetchPackages } from './fetch-packages.ts'
import { readHostApt } from './host-apt.ts'
import { type LockedSystem, lockInputs } from './lock/base-lock.ts'
import { lockSystem } from './lock/lock-system.ts'
import { chooseLocked, resolveLocked } from './lock/resolve-locked.ts'
import { createMirrorReader } from './mirror-reader.ts'
import { openPackageCache, type PackageCache } from './package-cache.ts'
import { type ObtainedBase, openPackages } from './read-packages.ts'
import { resolveBase, type ResolvedBase, type UsedSuite } from './resolve-base.ts'
import { type Repository, selectRepositories } from './select-repositories.ts'
import { UserError } from '#diagnostics'

/** Where the packages of a base come from. */
export interface BaseSources extends AsyncDisposable {
  readonly architecture: DebianArchitecture
  readonly cache: PackageCache
  readonly reporter: Reporter
  /** Solves the dependencies, as the repositories are now. */
  solve(): Promise<ResolvedBase>
  /** What the base will consist of: the lock's packages where there is one, else solved now. No package is fetched yet. */
  choose(): Promise<ChosenBase>
}

/** Which packages a base will have. */
export interface ChosenBase {
  readonly locked: LockedSystem
  readonly suites: readonly UsedSuite[]
  /** Fetches, verifies and opens them. Throws a `UserError`. */
  obtain(): Promise<ObtainedBase>
}

/** Opens cache and network for a base. Nothing is read yet. Throws a `UserError`. */
export async function openSources(
  spec: BaseSpec,
  architectureSpec: NamedArchitecture | undefined,
  options: ResolveOptions,
): Promise<BaseSources> {
  const { env, signal, hostRoot = '/', directory, lock } = options
  const architecture = targetArchitecture(spec.kind, architectureSpec)
  if (lock && lock.inputs !== lockInputs(spec)) {
    throw new UserError('the lock is of another base file, or of an earlier version of this one', {
      hint: 'make it again with "slipway base lock", or build without it: --no-lock',
    })
  }
  const reporter = createReporter(options)
  const host = readHostApt(hostRoot)
  const mirrors = env['SLIPWAY_DEBIAN_MIRROR']
  const repositories: readonly Repository[] = selectRepositories(spec, {
    directory,
    mirror: mirrors,
    host,
    architecture: architecture.name,
  })
  const http: Http = openHttp({ env })
  const cache = await openPackageCache(resolve(options.cacheDirectory))
  const fetching = { http, cache, reporter, signal }
  const solve = (): Promise<ResolvedBase> =>
    resolveBase(spec, {
      repositories,
      architecture: architecture.name,
      distribution: host.distribution,
      mirror: createMirrorReader(http, signal),
      cache,
      reporter,
    })
  return {
    architecture,
    cache,
    reporter,
    solve,
    async choose() {
      if (lock) {
        const chosen = chooseLocked(lock, architecture.name, repositories)
        return { ...chosen, obtain: () => resolveLocked(spec, chosen, { ...fetching, repositories }) }
      }
      const resolved = await solve()
      return {
        locked: lockSystem(resolved, architecture.name),
        suites: resolved.suites,
        async obtain() {
          const paths = await fetchPackages(resolved.packages, fetching)
          const records = resolved.packages.map(({ record }) => record)
          return { resolved, files: await openPackages(records, paths, signal) }
        },
      }
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}
