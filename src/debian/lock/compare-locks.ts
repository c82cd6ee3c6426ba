import { compareVersions } from '../version.ts'
import type { LockedPackage, LockedSystem } from './base-lock.ts'

/** How one package of a system would change. */
export interface PackageChange {
  readonly kind: 'added' | 'removed' | 'newer' | 'older' | 'rebuilt'
  readonly name: string
  readonly before: LockedPackage | undefined
  readonly after: LockedPackage | undefined
  /** The suite that it comes from afterwards. */
  readonly suite: string
  /** Comes from a suite of security updates. */
  readonly security: boolean
}

/** What differs between two systems of one architecture, by name. */
export function compareSystems(before: LockedSystem, after: LockedSystem): readonly PackageChange[] {
  const old = new Map(before.packages.map(item => [item.name, item]))
  const now = new Map(after.packages.map(item => [item.name, item]))
  const names = [...new Set([...old.keys(), ...now.keys()])].sort()
  return names.flatMap((name): readonly PackageChange[] => {
    const [a, b] = [old.get(name), now.get(name)]
    const kind = changeOf(a, b)
    if (kind === undefined) return []
    const suite = (b ? after.suites[b.suite] : a && before.suites[a.suite])?.suite ?? ''
    return [
      { kind, name, before: a, after: b, suite, security: b !== undefined && /[-/]security$|\/updates$/.test(suite) },
    ]
  })
}

function changeOf(
  before: LockedPackage | undefined,
  after: LockedPackage | undefined,
): PackageChange['kind'] | undefined {
  if (before === undefined) return 'added'
  if (after === undefined) return 'removed'
  const order = compareVersions(after.version, before.version)
  if (order !== 0) return order > 0 ? 'newer' : 'older'
  return before.sha256 === after.sha256 ? undefined : 'rebuilt'
}
