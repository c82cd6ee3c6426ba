import { type ControlParagraph, parseParagraph } from './control-file.ts'

/** What a suite's Release file says (repository format of Debian). */
export interface ReleaseFile {
  readonly origin: string
  readonly suite: string
  readonly codename: string
  readonly components: readonly string[]
  readonly architectures: readonly string[]
  /** Milliseconds since 1970. */
  readonly date: number | undefined
  readonly validUntil: number | undefined
  /** Files can also be fetched by their digest, which an update of the mirror does not disturb. */
  readonly byHash: boolean
  /** Its packages are not installed unless asked for (backports). */
  readonly notAutomatic: boolean
  /** Indexes of architectures do not hold packages of architecture `all`. */
  readonly separateAll: boolean
  /** Path below the suite → size and SHA-256. */
  readonly files: ReadonlyMap<string, ReleaseEntry>
}

export interface ReleaseEntry {
  /** Bytes. */
  readonly size: number
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string
}

/** Reads a Release file's text. */
export function parseRelease(text: string): ReleaseFile {
  const fields = parseParagraph(text)
  const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(word => word !== '')
  const architectures = words('architectures')
  return {
    origin: fields.get('origin') ?? '',
    suite: fields.get('suite') ?? '',
    codename: fields.get('codename') ?? '',
    components: words('components'),
    architectures,
    date: date(fields, 'date'),
    validUntil: date(fields, 'valid-until'),
    byHash: fields.get('acquire-by-hash') === 'yes',
    notAutomatic: fields.get('notautomatic') === 'yes',
    separateAll: architectures.includes('all') && !words('no-support-for-architecture-all').includes('Packages'),
    files: checksums(fields.get('sha256') ?? ''),
  }
}

function date(fields: ControlParagraph, name: string): number | undefined {
  const value = Date.parse(fields.get(name) ?? '')
  return Number.isNaN(value) ? undefined : value
}

function checksums(text: string): ReadonlyMap<string, ReleaseEntry> {
  const files = new Map<string, ReleaseEntry>()
  for (const match of text.matchAll(/^ *([0-9a-fA-F]{64}) +(\d{1,15}) +(\S+)$/gm)) {
    const [, sha256 = '', size = '', path = ''] = match
    files.set(path, { sha256: sha256.toLowerCase(), size: Number(size) })
  }
  return files
}
