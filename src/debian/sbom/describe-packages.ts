import { createHash } from 'node:crypto'
import type { LockedPackage, LockedSystem } from '../lock/base-lock.ts'

/** What a bill of materials is about. */
export interface SbomSubject {
  /** The base's name, for people. */
  readonly name: string
  /** The suite that the base is made from. */
  readonly suite: string
  readonly systems: readonly LockedSystem[]
  /** Of Slipway. */
  readonly toolVersion: string
}

/** A package of one architecture with the names that bills of materials need. */
export interface DescribedPackage {
  readonly item: LockedPackage
  /** Unlike that of any other package of the subject. */
  readonly id: string
  /** Package URL (purl-spec, type deb). */
  readonly purl: string
  /** Who publishes it: `Debian`. */
  readonly supplier: string
  /** Ids of the packages that it depends on. */
  readonly depends: readonly string[]
}

/** All packages of all architectures, each once: what is built for every architecture is one package. */
export function describePackages({ systems, suite }: SbomSubject): readonly DescribedPackage[] {
  const described = new Map<string, DescribedPackage>()
  for (const { packages, suites } of systems) {
    const byName = new Map(packages.map(item => [item.name, item]))
    for (const item of packages.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const origin = suites[item.suite]?.origin ?? ''
      const depends = item.depends.flatMap(name => {
        const other = byName.get(name)
        return other ? [idOf(other)] : []
      })
      const id = idOf(item)
      const known = described.get(id)
      described.set(id, {
        item,
        id,
        purl: packageUrl(item, origin, suite),
        supplier: origin,
        depends: [...new Set([...(known?.depends ?? []), ...depends])].sort(),
      })
    }
  }
  return [...described.values()]
}

/** Letters, digits, `.` and `-`, as SPDX wants it (section 3.2 of version 2.3). */
function idOf({ name, version, architecture }: LockedPackage): string {
  return `${name}-${version}-${architecture}`.replace(/[^A-Za-z0-9.-]/g, character =>
    character === '+' ? '.plus.' : character === '~' ? '.tilde.' : '-',
  )
}

function packageUrl({ name, version, architecture, source }: LockedPackage, origin: string, suite: string): string {
  const namespace = origin.toLowerCase().replace(/[^a-z0-9.-]/g, '') || 'debian'
  const upstream = source === name ? [] : [`upstream=${encode(source)}`]
  const qualifiers = [`arch=${architecture}`, `distro=${encode(suite)}`, ...upstream]
  return `pkg:deb/${namespace}/${encode(name)}@${encode(version)}?${qualifiers.join('&')}`
}

/** Percent-encoding as package URLs have it: the colon of an epoch stays. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}

/** When the youngest suite was published: the bill says the same whenever it is written. RFC 3339. */
export function createdOf({ systems }: SbomSubject): string {
  const dates = systems.flatMap(({ suites }) => suites.map(({ date }) => date))
  return new Date(Math.max(0, ...dates)).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A UUID (RFC 9562, version 8) made from what the bill says. */
export function uuidOf(subject: SbomSubject): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([subject.name, subject.suite, subject.systems]))
    .digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
