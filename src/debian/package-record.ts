import { type ControlParagraph, parseParagraph } from './control-file.ts'
import { type OrGroup, parseRelations, type Relation } from './relation.ts'

/** One version of a package as a repository offers it. */
export interface PackageRecord {
  readonly name: string
  readonly version: string
  /** `all` or a Debian architecture. */
  readonly architecture: string
  /** Empty where it is the package's own name. */
  readonly source: string
  readonly essential: boolean
  readonly priority: string
  /** `no` where the field is absent. */
  readonly multiArch: 'no' | 'same' | 'foreign' | 'allowed'
  /** Bytes, as the package estimates them. */
  readonly installedSize: number
  readonly preDepends: readonly OrGroup[]
  readonly depends: readonly OrGroup[]
  readonly conflicts: readonly OrGroup[]
  readonly breaks: readonly OrGroup[]
  readonly provides: readonly Relation[]
  /** Path below the repository's address. */
  readonly filename: string
  /** Bytes of the .deb. */
  readonly size: number
  /** 64 lower-case hexadecimal digits; empty where the index has none. */
  readonly sha256: string
  /** Index of the repository in the list it was loaded from. */
  readonly repository: number
}

/** Reads a stanza of a Packages index. */
export function readPackageRecord(stanza: string, repository: number): PackageRecord {
  const fields = parseParagraph(stanza)
  const field = (name: string): string => fields.get(name) ?? ''
  const multiArch = field('multi-arch')
  return {
    name: field('package'),
    version: field('version'),
    architecture: field('architecture'),
    source: field('source'),
    essential: field('essential') === 'yes',
    priority: field('priority') || 'optional',
    multiArch: multiArch === 'same' || multiArch === 'foreign' || multiArch === 'allowed' ? multiArch : 'no',
    installedSize: number(fields, 'installed-size') * 1024,
    preDepends: parseRelations(fields.get('pre-depends')),
    depends: parseRelations(fields.get('depends')),
    conflicts: parseRelations(fields.get('conflicts')),
    breaks: parseRelations(fields.get('breaks')),
    provides: parseRelations(fields.get('provides')).flat(),
    filename: field('filename'),
    size: number(fields, 'size'),
    sha256: field('sha256').toLowerCase(),
    repository,
  }
}

function number(fields: ControlParagraph, name: string): number {
  const value = Number(fields.get(name) ?? 0)
  return Number.isSafeInteger(value) && value >= 0 ? value : 0
}
