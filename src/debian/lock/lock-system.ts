import type { PackageRecord } from '../package-record.ts'
import type { ResolvedBase } from '../resolve-base.ts'
import { matches } from '../universe.ts'
import type { LockedSystem } from './base-lock.ts'

/** What was solved, as a lock has it. */
export function lockSystem({ packages, suites, core }: ResolvedBase, architecture: string): LockedSystem {
  const records = packages.map(({ record }) => record)
  return {
    architecture,
    suites: suites.map(({ repository, components, release }) => ({
      suite: repository.suite,
      components,
      origin: release.origin,
      date: release.date ?? 0,
    })),
    packages: packages.map(({ record, automatic, suite }) => ({
      name: record.name,
      version: record.version,
      architecture: record.architecture,
      source: sourceName(record),
      suite,
      filename: record.filename,
      size: record.size,
      installedSize: record.installedSize,
      sha256: record.sha256,
      automatic,
      core: core.has(record.name),
      depends: dependenciesOf(record, records),
    })),
  }
}

/** `Source` names a version, too, where that differs from the package's. */
export function sourceName({ source, name }: Pick<PackageRecord, 'source' | 'name'>): string {
  return source === '' ? name : (source.split(' ')[0] ?? name)
}

/** Members of the system that a package depends on. */
function dependenciesOf(record: PackageRecord, all: readonly PackageRecord[]): readonly string[] {
  const names = new Set<string>()
  for (const group of [...record.preDepends, ...record.depends]) {
    for (const other of all) {
      if (other !== record && group.some(relation => matches(other, relation))) names.add(other.name)
    }
  }
  return [...names].sort()
}
