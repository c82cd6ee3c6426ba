import { nearest, type Place, UserError } from '#diagnostics'
import type { PackageRecord } from './package-record.ts'
import { formatGroup, formatRelation, type OrGroup, type Relation } from './relation.ts'
import { matches, provides, type Universe } from './universe.ts'

/** A package that somebody asks for, and where. */
export interface Wanted {
  readonly relation: Relation
  readonly at?: Place
}

/** Why a package is in a solution. */
export type Reason =
  | { readonly kind: 'wanted' }
  /** A dependency (text as in the control file) of the named package. */
  | { readonly kind: 'dependency'; readonly of: string; readonly group: string }

export interface Chosen {
  readonly record: PackageRecord
  readonly reason: Reason
}

/** Name → chosen package, in the order in which they were chosen. */
export type Solution = ReadonlyMap<string, Chosen>

/**
 * Finds packages that contain what is wanted, with Depends and Pre-Depends satisfied and without Conflicts and Breaks
 * (Debian policy, chapter 7). Alternatives are taken as apt takes them: what is there already, else the first that works,
 * packages of that name before packages that provide it. Recommends are not followed. `installed` is part of the
 * solution and stays as it is.
 *
 * Complete: where a solution of candidate versions exists, one is found (conflict-directed backjumping). Throws a
 * `UserError` that says what stands in the way.
 */
export function solve(universe: Universe, wanted: readonly Wanted[], installed: Solution = new Map()): Solution {
  const search = startSearch(universe)
  for (const chosen of installed.values()) search.choose(chosen, 0)
  let agenda: Agenda
  const roots: PackageRecord[] = []
  for (const { relation, at } of wanted) {
    const present = search.satisfying(relation)
    if (present) continue
    const record = universe.satisfying(relation)[0]
    if (record === undefined) throw unknownPackage(universe, relation, at)
    const blocker = search.blocker(record)
    if (blocker) throw unsolvable([`${record.name} and ${blocker.name} are both wanted but exclude each other`], at)
    search.choose({ record, reason: { kind: 'wanted' } }, 0)
    roots.push(record)
  }
  for (const record of roots.reverse()) agenda = withDependencies(universe.dependencies(record), record, agenda)
  return search.run(agenda)
}

/** Dependencies still to look at, next one first; shared between states of the search. */
type Agenda = { readonly group: OrGroup; readonly of: PackageRecord; readonly next: Agenda } | undefined

interface Frame {
  /** Its first item is the dependency that this frame decides. */
  readonly agenda: NonNullable<Agenda>
  /** What is left to try. */
  readonly options: Iterator<PackageRecord>
  /** How many packages were chosen before. */
  readonly trail: number
  /** Levels of decisions that made options fail. */
  readonly culprits: Set<number>
}

interface Search {
  choose(chosen: Chosen, level: number): void
  /** A chosen package that satisfies a relation. */
  satisfying(relation: Relation): PackageRecord | undefined
  /** A chosen package that cannot be together with this one. */
  blocker(record: PackageRecord): PackageRecord | undefined
  run(agenda: Agenda): Solution
}

const stepLimit = 200_000

function withDependencies(groups: readonly OrGroup[], record: PackageRecord, agenda: Agenda): Agenda {
  return groups.reduceRight<Agenda>((next, group) => ({ group, of: record, next }), agenda)
}

function startSearch(universe: Universe): Search {
  const chosen = new Map<string, Chosen>()
  const levels = new Map<string, number>()
  const trail: PackageRecord[] = []
  const providers = multimap<PackageRecord>()
  const excluders = multimap<{ readonly relation: Relation; readonly by: PackageRecord }>()

  const satisfying = (relation: Relation): PackageRecord | undefined => {
    if (relation.qualifier !== undefined && universe.satisfying(relation).length === 0) return undefined
    const own = chosen.get(relation.name)?.record
    if (own && matches(own, relation)) return own
    return providers.get(relation.name).find(record => provides(record, relation))
  }
  const choose = (choice: Chosen, level: number): void => {
    const { record } = choice
    chosen.set(record.name, choice)
    levels.set(record.name, level)
    trail.push(record)
    for (const provided of record.provides) providers.add(provided.name, record)
    for (const relation of exclusions(record)) excluders.add(relation.name, { relation, by: record })
  }
  const undo = (length: number): void => {
    while (trail.length > length) {
      const record = trail.pop() as PackageRecord
      chosen.delete(record.name)
      levels.delete(record.name)
      for (const provided of record.provides) providers.removeLast(provided.name)
      for (const relation of exclusions(record)) excluders.removeLast(relation.name)
    }
  }
  const blocker = (record: PackageRecord): PackageRecord | undefined => {
    const other = chosen.get(record.name)?.record
    if (other && other !== record) return other
    for (const relation of exclusions(record)) {
      const found = [chosen.get(relation.name)?.record, ...providers.get(relation.name)].find(
        candidate => candidate && candidate.name !== record.name && matches(candidate, relation),
      )
      if (found) return found
    }
    for (const name of [record.name, ...record.provides.map(provided => provided.name)]) {
      const found = excluders.get(name).find(({ relation, by }) => by.name !== record.name && matches(record, relation))
      if (found) return found.by
    }
    return undefined
  }

  /** One alternative after the other, each looked up only when it is its turn. */
  function* optionsOf(group: OrGroup): Generator<PackageRecord, undefined> {
    for (const relation of group) yield* universe.satisfying(relation)
  }

  const run = (start: Agenda): Solution => {
    const frames: Frame[] = []
    let agenda = start
    let firstProblem: readonly string[] | undefined
    for (let steps = 0; agenda !== undefined; steps++) {
      if (agenda.group.some(satisfying)) {
        agenda = agenda.next
        continue
      }
      frames.push({ agenda, options: optionsOf(agenda.group), trail: trail.length, culprits: new Set() })
      const resumed = advance(frames)
      firstProblem ??= resumed.problem
      if (resumed.agenda === 'none' || steps > stepLimit) throw unsolvable(firstProblem ?? [])
      agenda = resumed.agenda
    }
    return new Map(chosen)
  }

  /** Takes the next option of the last decision that can help; goes back over decisions that cannot. */
  const advance = (frames: Frame[]): { agenda: Agenda | 'none'; problem?: readonly string[] } => {
    let problem: readonly string[] | undefined
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      undo(frame.trail)
      const { of, group } = frame.agenda
      for (let option = frame.options.next(); option.done !== true; option = frame.options.next()) {
        const record = option.value
        const obstacle = blocker(record)
        if (obstacle === undefined) {
          choose({ record, reason: { kind: 'dependency', of: of.name, group: formatGroup(group) } }, frames.length)
          return {
            agenda: withDependencies(universe.dependencies(record), record, frame.agenda.next),
            ...(problem && { problem }),
          }
        }
        problem ??= [...chain(of, chosen), `${record.name} cannot be installed together with ${obstacle.name}`]
        frame.culprits.add(levels.get(obstacle.name) ?? 0)
      }
      problem ??= [...chain(of, chosen), ...missing(universe, of, group)]
      const culprits = new Set([...frame.culprits, levels.get(of.name) ?? 0])
      const target = Math.max(...culprits)
      culprits.delete(target)
      frames.length = target
      for (const level of culprits) frames.at(-1)?.culprits.add(level)
    }
    return { agenda: 'none', ...(problem && { problem }) }
  }

  return { choose, satisfying, blocker, run }
}

/** What a package excludes; never itself (Debian policy, section 7.4). */
function exclusions(record: PackageRecord): readonly Relation[] {
  return [...record.conflicts, ...record.breaks].flat()
}

interface Multimap<T> {
  get(key: string): readonly T[]
  add(key: string, value: T): void
  removeLast(key: string): void
}

function multimap<T>(): Multimap<T> {
  const map = new Map<string, T[]>()
  return {
    get: key => map.get(key) ?? [],
    add(key, value) {
      const list = map.get(key)
      if (list) list.push(value)
      else map.set(key, [value])
    },
    removeLast: key => void map.get(key)?.pop(),
  }
}

/** How a package came in: `a needs b (>= 1)`, from the wanted package on. */
function chain(record: PackageRecord, chosen: Solution): string[] {
  const lines: string[] = []
  let name = record.name
  for (let choice = chosen.get(name); choice?.reason.kind === 'dependency'; choice = chosen.get(name)) {
    lines.unshift(`${choice.reason.of} needs ${choice.reason.group}`)
    if (choice.reason.of === name || lines.length > 20) break
    name = choice.reason.of
  }
  return lines
}

function missing(universe: Universe, of: PackageRecord, group: OrGroup): string[] {
  const versions = group.flatMap(relation => {
    const candidate = universe.candidate(relation.name)
    return candidate ? [`${relation.name} is ${candidate.version}`] : []
  })
  const what = versions.length > 0 ? versions.join(', ') : 'the repositories do not have it'
  return [`${of.name} needs ${formatGroup(group)}, but ${what}`]
}

function unsolvable(problem: readonly string[], at?: Place): UserError {
  return new UserError('the packages cannot be installed together', {
    hint: 'change the list of packages, or name repositories that have what is missing',
    details: problem,
    ...(at && { at }),
  })
}

function unknownPackage(universe: Universe, relation: Relation, at: Place | undefined): UserError {
  const versions = universe.versions(relation.name).map(record => record.version)
  if (versions.length > 0) {
    return new UserError(`no repository has ${formatRelation(relation)}`, {
      hint: `there is ${versions.join(', ')}`,
      ...(at && { at }),
    })
  }
  const near = nearest(relation.name, universe.names())
  return new UserError(`there is no package ${relation.name}`, {
    hint: near ? `did you mean ${near}?` : 'check the name, and whether its component is listed under "components"',
    ...(at && { at }),
  })
}
