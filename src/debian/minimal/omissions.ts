import type { PackageRecord } from '../package-record.ts'
import { formatGroup, type OrGroup } from '../relation.ts'

/**
 * Packages that others depend on for the sake of their maintainer scripts, or that manage packages: a minimal base runs no script and
 * manages none. A dependency that one of these would satisfy is not followed. Who needs one lists it in `packages`.
 */
const everywhere = [
  'adduser',
  'apt',
  'awk',
  'cdebconf',
  'debconf',
  'debconf-2.0',
  'debianutils',
  'dpkg',
  'init-system-helpers',
  'install-info',
  'login',
  'lsb-base',
  'mawk',
  'passwd',
  'sensible-utils',
  'sysvinit-utils',
  'ucf',
  'update-inetd',
]

/** Dependencies of single packages that only what is left out of them, or done in their place, needs. */
const ofPackages: Readonly<Record<string, readonly string[]>> = {
  // update-passwd, which is left out.
  'base-passwd': ['libc6', 'libdebconfclient0', 'libselinux1'],
  // update-ca-certificates: the bundle and the links are written without it.
  'ca-certificates': ['openssl'],
  // The script that starts it as a service.
  'erlang-base': ['procps'],
  // Running Java to write the keystore, which is written without it; a test for /proc.
  'openjdk-*': ['ca-certificates-java', 'java-common', 'util-linux'],
}

/** A dependency that was not followed. */
export interface OmittedDependency {
  /** The package that has it. */
  readonly of: string
  /** As in a control file. */
  readonly relation: string
}

export interface Omissions {
  /** Dependencies of a package that are followed. */
  dependencies(record: PackageRecord): readonly OrGroup[]
  /** Those that are not. */
  omitted(record: PackageRecord): readonly OmittedDependency[]
}

/** `more`: names that a base file adds; `wanted`: packages that it lists, which are never omitted. */
export function createOmissions(more: readonly string[], wanted: readonly string[]): Omissions {
  const names = new Set([...everywhere, ...more])
  const listed = new Set(wanted)
  const isOmitted = (record: PackageRecord, group: OrGroup): boolean => {
    const own = Object.keys(ofPackages).filter(pattern => fits(record.name, pattern))
    const inGroup = (name: string): boolean =>
      names.has(name) || own.some(pattern => ofPackages[pattern]?.includes(name) === true)
    return group.some(({ name }) => inGroup(name)) && !group.some(({ name }) => listed.has(name))
  }
  const all = (record: PackageRecord): readonly OrGroup[] => [...record.preDepends, ...record.depends]
  return {
    dependencies: record => all(record).filter(group => !isOmitted(record, group)),
    omitted: record =>
      all(record)
        .filter(group => isOmitted(record, group))
        .map(group => ({ of: record.name, relation: formatGroup(group) })),
  }
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
