import type { PackageIndex } from './package-index.ts'
import type { PackageRecord } from './package-record.ts'
import { type OrGroup, type Relation, versionFits } from './relation.ts'
import { compareVersions } from './version.ts'

/** What repositories offer together: one candidate for each name. */
export interface Universe {
  /** The version that would be installed: the pinned one, else the highest that no repository marks as NotAutomatic. */
  candidate(name: string): PackageRecord | undefined
  /** All versions of a name. */
  versions(name: string): readonly PackageRecord[]
  /**
   * Candidates that satisfy a relation, best first: the package of that name, then packages that provide it (essential
   * ones, then by priority, then as apt orders them).
   */
  satisfying(relation: Relation): readonly PackageRecord[]
  /** What a package needs: Pre-Depends, then Depends. */
  dependencies(record: PackageRecord): readonly OrGroup[]
  readonly essential: readonly PackageRecord[]
  readonly required: readonly PackageRecord[]
  names(): Iterable<string>
}

export interface UniverseOptions {
  readonly indexes: readonly PackageIndex[]
  /** The architecture of the system; records of other architectures but `all` do not count. */
  readonly architecture: string
  /** Name → exact version. */
  readonly pins?: ReadonlyMap<string, string>
  /** Repositories (by index) whose packages are only taken when pinned or found nowhere else. */
  readonly notAutomatic?: ReadonlySet<number>
  /** Which dependencies are followed; default: all. */
  readonly dependencies?: (record: PackageRecord) => readonly OrGroup[]
}

/** Joins indexes. */
export function joinIndexes(options: UniverseOptions): Universe {
  const { indexes, architecture } = options
  const fitting = (records: readonly PackageRecord[]): PackageRecord[] =>
    records.filter(record => record.architecture === architecture || record.architecture === 'all')
  const versions = (name: string): PackageRecord[] => fitting(indexes.flatMap(index => index.named(name)))
  const candidates = new Map<string, PackageRecord | undefined>()
  const candidate = (name: string): PackageRecord | undefined => {
    if (!candidates.has(name)) candidates.set(name, choose(versions(name), name, options))
    return candidates.get(name)
  }
  const isCandidate = (record: PackageRecord): boolean => candidate(record.name) === record
  const marked = (kind: 'essential' | 'required'): readonly PackageRecord[] =>
    fitting(indexes.flatMap(index => index[kind])).filter(isCandidate)
  const mention = (name: string): number =>
    indexes.reduce((sum, index, i) => {
      const at = index.firstMention(name)
      return sum === Number.POSITIVE_INFINITY && at !== sum ? i * 2 ** 40 + at : sum
    }, Number.POSITIVE_INFINITY)
  return {
    candidate,
    versions,
    dependencies: options.dependencies ?? (record => [...record.preDepends, ...record.depends]),
    satisfying(relation) {
      if (!qualifierFits(relation, architecture)) return []
      const real = candidate(relation.name)
      const own = real && fits(real, relation) && versionFits(relation, real.version) ? [real] : []
      const others = fitting(indexes.flatMap(index => index.providing(relation.name))).filter(
        record => record.name !== relation.name && isCandidate(record) && provides(record, relation),
      )
      return others.length === 0 ? own : [...own, ...inOrder(others, own.length === 0, mention)]
    },
    get essential() {
      return marked('essential')
    },
    get required() {
      return marked('required')
    },
    *names() {
      for (const index of indexes) yield* index.names()
    },
  }
}

function choose(
  versions: readonly PackageRecord[],
  name: string,
  { pins, notAutomatic }: UniverseOptions,
): PackageRecord | undefined {
  const pin = pins?.get(name)
  if (pin !== undefined) return versions.find(record => compareVersions(record.version, pin) === 0)
  const automatic = versions.filter(record => !notAutomatic?.has(record.repository))
  return (automatic.length > 0 ? automatic : versions).reduce<PackageRecord | undefined>(
    (best, record) => (best === undefined || compareVersions(record.version, best.version) > 0 ? record : best),
    undefined,
  )
}

function qualifierFits({ qualifier }: Relation, architecture: string): boolean {
  return qualifier === undefined || qualifier === 'any' || qualifier === 'native' || qualifier === architecture
}

/** `name:any` asks for a package that allows it. */
function fits(record: PackageRecord, { qualifier }: Relation): boolean {
  return qualifier !== 'any' || record.multiArch === 'allowed' || record.multiArch === 'foreign'
}

/** Whether a package provides what a relation names, in a version that it asks for (Debian policy, section 7.5). */
export function provides(record: PackageRecord, relation: Relation): boolean {
  return record.provides.some(
    provided => provided.name === relation.name && versionFits(relation, provided.version) && fits(record, relation),
  )
}

/** Whether a package is what a relation names: by its name or by what it provides. */
export function matches(record: PackageRecord, relation: Relation): boolean {
  return (record.name === relation.name && versionFits(relation, record.version)) || provides(record, relation)
}

const priorities = ['required', 'important', 'standard', 'optional', 'extra']

/**
 * Essential ones, then by priority. What is still undecided apt takes by the order in which it met the names, last one
 * first; finding that order is slow, so it is only looked up where it decides (`exact`), among the best.
 */
function inOrder(
  records: readonly PackageRecord[],
  exact: boolean,
  mention: (name: string) => number,
): readonly PackageRecord[] {
  const rank = (record: PackageRecord): number => (record.essential ? -10 : 0) + priorities.indexOf(record.priority)
  const unique = [...new Set(records)].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? 1 : -1))
  const [best] = unique
  if (!exact || best === undefined) return unique
  const tied = unique.filter(record => rank(record) === rank(best))
  if (tied.length < 2) return unique
  const place = new Map(tied.map(record => [record, mention(record.name)] as const))
  tied.sort((a, b) => (place.get(b) ?? 0) - (place.get(a) ?? 0))
  return [...tied, ...unique.slice(tied.length)]
}
