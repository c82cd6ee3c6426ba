import { resolve } from 'node:path'
import { type Http, openHttp } from '#http'
import type { BaseSpec, NamedArchitecture } from './base-spec.ts'
import { createReporter, type Reporter, type ResolveOptions } from './compose-options.ts'
import { type DebianArchitecture, targetArchitecture } from './debian-architecture.ts'
import { fetchPackages } from './fetch-packages.ts'
import { readHostApt } from './host-apt.ts'
import { lockInputs } from './lock/base-lock.ts'
import { resolveLocked } from './lock/resolve-locked.ts'
import { createMirrorReader } from './mirror-reader.ts'
import { openPackageCache, type PackageCache } from './package-cache.ts'
import { resolveBase, type ResolvedBase } from './resolve-base.ts'
import { type Repository, selectRepositories } from './select-repositories.ts'
import { UserError } from '#diagnostics'

/** Where the packages of a base come from. */
export interface BaseSources extends AsyncDisposable {
  readonly architecture: DebianArchitecture
  readonly cache: PackageCache
  readonly reporter: Reporter
  /** Solves the dependencies, as the repositories are now. */
  solve(): Promise<ResolvedBase>
  /** The packages, of the lock where there is one, and where their files are. */
  obtain(): Promise<{ readonly resolved: ResolvedBase; readonly paths: ReadonlyMap<string, string> }>
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
    async obtain() {
      if (lock) return resolveLocked(spec, lock, { ...fetching, repositories, architecture: architecture.name })
      const resolved = await solve()
      return { resolved, paths: await fetchPackages(resolved.packages, fetching) }
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}
