import { UserError } from '#diagnostics'
import type { BaseSpec } from './base-spec.ts'
import type { Reporter } from './compose-options.ts'
import { loadSuite, type Suite } from './load-suite.ts'
import type { MirrorReader } from './mirror-reader.ts'
import type { PackageCache } from './package-cache.ts'
import { indexPackages } from './package-index.ts'
import type { PackageRecord } from './package-record.ts'
import type { ReleaseFile } from './release-file.ts'
import type { Repository } from './select-repositories.ts'
import { createOmissions, type OmittedDependency } from './minimal/omissions.ts'
import { type Solution, solve, type Wanted } from './solve.ts'
import { joinIndexes, type Universe } from './universe.ts'

/** Which packages a base consists of, and where they are. */
export interface ResolvedBase {
  /** In the order in which the solver took them: what exists on every system first. */
  readonly packages: readonly ResolvedPackage[]
  /** Names of the packages that must be there before anything can run. */
  readonly core: ReadonlySet<string>
  readonly suites: readonly UsedSuite[]
  /** Dependencies that a minimal base does not follow. */
  readonly omitted: readonly OmittedDependency[]
}

/** A suite that packages come from. */
export interface UsedSuite extends Pick<Suite, 'repository' | 'components'> {
  readonly release: Pick<ReleaseFile, 'date' | 'origin'>
}

export interface ResolvedPackage {
  readonly record: PackageRecord
  /** Addresses of repositories that have it, tried in turn. */
  readonly uris: readonly string[]
  /** Position of its suite in `suites`. */
  readonly suite: number
  /** Only there because another package needs it. */
  readonly automatic: boolean
}

export interface ResolveContext {
  readonly repositories: readonly Repository[]
  readonly architecture: string
  /** The host's, `debian` for instance. */
  readonly distribution: string | undefined
  readonly mirror: MirrorReader
  readonly cache: PackageCache
  readonly reporter: Reporter
}

/** Loads the repositories' indexes and solves the dependencies of a base. Throws a `UserError`. */
export async function resolveBase(spec: BaseSpec, context: ResolveContext): Promise<ResolvedBase> {
  const suites = withoutThirdParties(spec, await loadSuites(context), context.distribution)
  checkComponents(spec, suites)
  const listed = spec.packages.map(({ relation }) => relation.name)
  const omissions = spec.kind === 'minimal' ? createOmissions(spec.omit, listed) : undefined
  return context.reporter.activity('solving dependencies', async () => {
    const positions = suites.flatMap((suite, i) => suite.indexes.map(() => i))
    const universe = joinIndexes({
      indexes: suites.flatMap(suite => suite.indexes).map(indexPackages),
      architecture: context.architecture,
      pins: pinsOf(spec.packages),
      notAutomatic: new Set(
        suites.flatMap(s => s.indexes.map(() => s.release.notAutomatic)).flatMap((n, i) => (n ? [i] : [])),
      ),
      ...(omissions && { dependencies: record => omissions.dependencies(record) }),
    })
    const { core, solution, manual } = omissions ? solveMinimal(spec, universe) : solveBase(spec, universe)
    const packages = [...solution.values()].map(({ record }): ResolvedPackage => {
      checkRecord(record)
      const suite = positions[record.repository] ?? 0
      return {
        record,
        suite,
        uris: [suites[suite]?.repository.uri ?? ''],
        automatic: !manual.has(record.name) && !core.has(record.name),
      }
    })
    const omitted = omissions ? packages.flatMap(({ record }) => omissions.omitted(record)) : []
    return { packages, core: new Set(core.keys()), suites, omitted }
  })
}

/** Sources of the host that its distribution did not publish are left out, unless nothing else has the suite. */
function withoutThirdParties(spec: BaseSpec, suites: readonly Suite[], distribution?: string): readonly Suite[] {
  const own = suites.filter(
    ({ repository, release }) => !repository.fromHost || release.origin.toLowerCase() === distribution,
  )
  return own.some(suite => suite.repository.suite === spec.suite) ? own : suites
}

function checkComponents(spec: BaseSpec, suites: readonly Suite[]): void {
  if (!suites.some(suite => suite.repository.fromHost)) return
  const missing = spec.components.find(component => !suites.some(suite => suite.components.includes(component)))
  if (missing === undefined) return
  const known = new Set(suites.flatMap(suite => suite.release.components))
  throw new UserError(`${spec.suite} has no component ${missing}`, {
    hint: `it has ${[...known].join(', ')}`,
  })
}

async function loadSuites({ repositories, architecture, mirror, cache, reporter }: ResolveContext): Promise<Suite[]> {
  return reporter.activity('loading package indexes', async activity => {
    let transferred = false
    const done = new Map<string, number>()
    const onTransfer = (label: string, bytes: number, total: number): void => {
      transferred = true
      const sum = (done.get(label) ?? 0) + bytes
      done.set(label, sum)
      activity.transfer(label, sum, total)
    }
    const context = { mirror, cache, architecture, now: Date.now(), onTransfer }
    // All are waited for, so that none goes on writing to the cache after an error.
    const loaded = await Promise.allSettled(repositories.map(repository => loadSuite(repository, context)))
    if (!transferred) activity.cached()
    return loaded.flatMap(result => {
      if (result.status === 'rejected') throw result.reason
      return result.value ?? []
    })
  })
}

function pinsOf(packages: readonly Wanted[]): ReadonlyMap<string, string> {
  return new Map(packages.flatMap(({ relation }) => (relation.version ? [[relation.name, relation.version]] : [])))
}

interface SolvedBase {
  readonly core: Solution
  readonly solution: Solution
  /** Names of packages that somebody asked for. */
  readonly manual: ReadonlySet<string>
}

/**
 * First what every system has, then the rest on top of it, as a package manager would. Where a listed package does not fit what
 * was chosen first, everything is solved together.
 */
function solveBase(spec: BaseSpec, universe: Universe): SolvedBase {
  const essential = named(universe.essential)
  if (essential.length === 0) {
    throw new UserError(`${spec.suite} has no essential packages`, {
      hint: 'name a mirror of the whole distribution, not only of additional packages',
    })
  }
  // An empty package that stands for a merged /usr, as here; the alternative would convert it with the help of perl.
  const merged: Wanted[] = universe.candidate('usr-is-merged') ? [{ relation: { name: 'usr-is-merged' } }] : []
  const first = [...merged, ...essential]
  const second = [
    ...(spec.variant === 'minbase' ? named(universe.required) : []),
    ...(spec.variant === 'essential' ? [] : [{ relation: { name: 'apt' } }]),
    ...spec.packages,
  ]
  const manual = new Set([...first, ...second].map(({ relation }) => relation.name))
  const core = solve(universe, first)
  try {
    return { core, solution: solve(universe, second, core), manual }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const solution = solve(universe, [...first, ...second])
    return { core: new Map([...core].filter(([name]) => solution.has(name))), solution, manual }
  }
}

/** Only what is listed and what that needs, on top of the files that every system has. */
function solveMinimal(spec: BaseSpec, universe: Universe): SolvedBase {
  const standing = ['base-files', 'base-passwd', ...(spec.system.timezone ? ['tzdata'] : [])]
  const wanted = [...standing.map(name => ({ relation: { name } })), ...spec.packages]
  const manual = new Set(wanted.map(({ relation }) => relation.name))
  return { core: new Map(), solution: solve(universe, wanted), manual }
}

function named(records: readonly PackageRecord[]): Wanted[] {
  return records.map(record => ({ relation: { name: record.name } }))
}

/** Names and versions become file names and words of commands. */
function checkRecord({ name, version, architecture, sha256, filename }: PackageRecord): void {
  const wellFormed =
    /^[a-z0-9][a-z0-9+.-]*$/.test(name) &&
    /^[A-Za-z0-9.+~:-]+$/.test(version) &&
    /^[a-z0-9-]+$/.test(architecture) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    !filename.split('/').includes('..')
  if (wellFormed) return
  throw new UserError(`the entry of ${JSON.stringify(name)} in the package index is malformed`, {
    hint: 'the repository is damaged, or has no SHA-256 checksums',
  })
}
