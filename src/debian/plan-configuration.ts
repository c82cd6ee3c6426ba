import type { PackageRecord } from './package-record.ts'
import type { OrGroup } from './relation.ts'
import { matches } from './universe.ts'

/** In which order packages come into a root. */
export interface ConfigurationPlan {
  /** Unpacked by us, before anything runs. */
  readonly unpacked: readonly PackageRecord[]
  /** Of these, the ones whose preinst scripts act; they run before anything is configured. */
  readonly preinst: readonly PackageRecord[]
  /** To be configured before all others: users, groups and directories, which every script takes for granted. */
  readonly first: readonly PackageRecord[]
  /**
   * Then, in order: more packages to configure, and packages that dpkg itself unpacks afterwards because their preinst scripts need a
   * system that works.
   */
  readonly rounds: readonly {
    readonly configure: readonly PackageRecord[]
    readonly unpack: readonly PackageRecord[]
  }[]
}

/**
 * Plans who unpacks what. A package without a preinst script that does anything on a new system can be unpacked at any
 * time, and so can the essential ones: their scripts expect a bare system. All others need their Pre-Depends configured
 * (Debian policy, section 7.2) and run in rounds.
 */
export function planConfiguration(
  packages: readonly PackageRecord[],
  base: ReadonlySet<string>,
  hasPreinst: ReadonlySet<string>,
): ConfigurationPlan {
  const find = finder(packages)
  const roundsByName = new Map<string, number>()
  const roundOf = (record: PackageRecord): number => {
    if (!hasPreinst.has(record.name) || base.has(record.name)) return 0
    const known = roundsByName.get(record.name)
    if (known !== undefined) return known
    // A circle through Pre-Depends cannot be satisfied; dpkg will say so.
    roundsByName.set(record.name, 1)
    const before = closure(record.preDepends.flatMap(find), find)
    const round = 1 + Math.max(0, ...before.filter(other => other !== record).map(roundOf))
    roundsByName.set(record.name, round)
    return round
  }
  const last = Math.max(0, ...packages.map(roundOf))
  const configured = new Set(
    foundations.flatMap(name =>
      closure(
        packages.filter(record => record.name === name),
        find,
      ),
    ),
  )
  const first = [...configured]
  const rounds = Array.from({ length: last }, (_, i) => {
    const unpack = packages.filter(record => roundOf(record) === i + 1)
    const before = unpack.flatMap(record => record.preDepends.flatMap(find))
    const needed = new Set(closure(before, find))
    const isReady = (record: PackageRecord): boolean =>
      (base.has(record.name) || needed.has(record)) && closure([record], find).every(other => roundOf(other) <= i)
    const configure = packages.filter(record => isReady(record) && !configured.has(record))
    for (const record of configure) configured.add(record)
    return { configure, unpack }
  })
  const unpacked = packages.filter(record => roundOf(record) === 0)
  const preinst = unpacked
    .filter(record => hasPreinst.has(record.name))
    .toSorted((a, b) => Number(foundations.includes(b.name)) - Number(foundations.includes(a.name)))
  return { unpacked, preinst, first, rounds }
}

const foundations = ['base-passwd', 'base-files']

type Find = (group: OrGroup) => readonly PackageRecord[]

/** Members of the solution that satisfy a dependency. */
function finder(packages: readonly PackageRecord[]): Find {
  const byName = new Map<string, PackageRecord[]>()
  for (const record of packages) {
    for (const name of [record.name, ...record.provides.map(provided => provided.name)]) {
      const list = byName.get(name)
      if (list) list.push(record)
      else byName.set(name, [record])
    }
  }
  return group =>
    group.flatMap(relation => (byName.get(relation.name) ?? []).filter(record => matches(record, relation)))
}

/** Packages and everything that they depend on. */
function closure(from: readonly PackageRecord[], find: Find): readonly PackageRecord[] {
  const seen = new Set(from)
  for (const record of seen) {
    for (const group of [...record.preDepends, ...record.depends]) {
      for (const other of find(group)) seen.add(other)
    }
  }
  return [...seen]
}

/** Whether a preinst script does something when a package comes to a system for the first time. */
export function actsOnInstall(preinst: string): boolean {
  // These lines of debhelper look after files of earlier versions (dpkg-maintscript-helper(1)).
  const idle = /^(#.*|set -e|dpkg-maintscript-helper (rm_conffile|mv_conffile|symlink_to_dir|dir_to_symlink) .*|)$/
  return preinst
    .replaceAll('\\\n', ' ')
    .split('\n')
    .some(line => !idle.test(line.trim()))
}
