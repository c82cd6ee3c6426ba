import { type PackageRecord, readPackageRecord } from './package-record.ts'

/**
 * A Packages index of which only the places of stanzas are known; stanzas are read when somebody asks for them. 63,000
 * stanzas take about a tenth of a second.
 */
export interface PackageIndex {
  /** All versions of a package, in the index's order. */
  named(name: string): readonly PackageRecord[]
  /** Packages that name this one in Provides. */
  providing(name: string): readonly PackageRecord[]
  /** Packages with `Essential: yes`. */
  readonly essential: readonly PackageRecord[]
  /** Packages with `Priority: required`. */
  readonly required: readonly PackageRecord[]
  /** Every package name once, for suggestions. */
  names(): Iterable<string>
  /** Where a package's name first stands in the index, as package or in a relation; Infinity where it does not. */
  firstMention(name: string): number
}

/** Finds the stanzas of an index (the text of a Packages file). `repository` goes into every record. */
export function indexPackages(bytes: Buffer, repository: number): PackageIndex {
  const { starts, byName } = findStanzas(bytes)
  const records = new Map<number, PackageRecord>()
  const record = (stanza: number): PackageRecord => {
    let known = records.get(stanza)
    if (known === undefined) {
      known = readPackageRecord(stanzaText(bytes, starts, stanza), repository)
      records.set(stanza, known)
    }
    return known
  }
  const all = (needle: string): readonly PackageRecord[] =>
    stanzasWith(bytes, starts, needle).map(([stanza]) => record(stanza))
  const providers = lazily(() => findProviders(bytes, starts))
  const essential = lazily(() => all('\nEssential: yes\n'))
  const required = lazily(() => all('\nPriority: required\n'))
  return {
    named: name => (byName.get(name) ?? []).map(record),
    providing: name => (providers().get(name) ?? []).map(record),
    get essential() {
      return essential()
    },
    get required() {
      return required()
    },
    names: () => byName.keys(),
    firstMention: name => firstMention(bytes, name),
  }
}

function lazily<T>(make: () => T): () => T {
  let value: { readonly made: T } | undefined
  return () => {
    value ??= { made: make() }
    return value.made
  }
}

interface Stanzas {
  /** Offsets where stanzas begin, ascending, and the end of the last one. */
  readonly starts: readonly number[]
  readonly byName: ReadonlyMap<string, readonly number[]>
}

function findStanzas(bytes: Buffer): Stanzas {
  const starts: number[] = []
  const byName = new Map<string, number[]>()
  for (let start = skipNewlines(bytes, 0); start < bytes.length; ) {
    const blank = bytes.indexOf('\n\n', start, 'latin1')
    const end = blank === -1 ? bytes.length : blank
    const name = packageName(bytes, start, end)
    if (name !== '') {
      const known = byName.get(name)
      if (known) known.push(starts.length)
      else byName.set(name, [starts.length])
    }
    starts.push(start)
    start = skipNewlines(bytes, end)
  }
  starts.push(bytes.length)
  return { starts, byName }
}

function skipNewlines(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 10) at++
  return at
}

const packageField = Buffer.from('Package:')

/** The field usually comes first. */
function packageName(bytes: Buffer, start: number, end: number): string {
  let at = start
  if (bytes.compare(packageField, 0, 8, start, Math.min(start + 8, bytes.length)) !== 0) {
    at = bytes.indexOf('\nPackage:', start, 'latin1') + 1
    if (at === 0 || at > end) return ''
  }
  const lineEnd = bytes.indexOf(10, at)
  return bytes.toString('latin1', at + 8, lineEnd === -1 ? end : Math.min(lineEnd, end)).trim()
}

function stanzaText(bytes: Buffer, starts: readonly number[], stanza: number): string {
  return bytes.toString('utf8', starts[stanza] ?? 0, starts[stanza + 1] ?? bytes.length)
}

/** Stanzas in which `needle` stands, each with the offset of its first occurrence. */
function stanzasWith(bytes: Buffer, starts: readonly number[], needle: string): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  let stanza = 0
  for (let at = bytes.indexOf(needle, 0, 'latin1'); at !== -1; at = bytes.indexOf(needle, at + 1, 'latin1')) {
    while ((starts[stanza + 1] ?? Number.POSITIVE_INFINITY) <= at) stanza++
    if (found.at(-1)?.[0] !== stanza) found.push([stanza, at])
  }
  return found
}

const providesField = '\nProvides:'

/** The name in one item of a Provides field. */
const providedName = /[^\s:(]+/

function findProviders(bytes: Buffer, starts: readonly number[]): ReadonlyMap<string, readonly number[]> {
  const providers = new Map<string, number[]>()
  for (const [stanza, at] of stanzasWith(bytes, starts, providesField)) {
    const lineEnd = bytes.indexOf(10, at + 1)
    const value = bytes.toString('latin1', at + providesField.length, lineEnd === -1 ? bytes.length : lineEnd)
    // Names only: who asks for one reads its stanza, with versions.
    for (const item of value.split(',')) {
      const name = providedName.exec(item)?.[0]
      if (name === undefined) continue
      const known = providers.get(name)
      if (known === undefined) providers.set(name, [stanza])
      else if (known.at(-1) !== stanza) known.push(stanza)
    }
  }
  return providers
}

const relationFields =
  /^(?:package|depends|pre-depends|recommends|suggests|enhances|conflicts|breaks|replaces|provides):/i

function firstMention(bytes: Buffer, name: string): number {
  const boundary = (code: number | undefined): boolean =>
    code === undefined || !/[a-z0-9+.-]/i.test(String.fromCharCode(code))
  for (let at = bytes.indexOf(name, 0, 'latin1'); at !== -1; at = bytes.indexOf(name, at + 1, 'latin1')) {
    if (!boundary(bytes[at - 1]) || !boundary(bytes[at + name.length])) continue
    const line = bytes.lastIndexOf(10, at) + 1
    if (relationFields.test(bytes.toString('latin1', line, Math.min(line + 16, at)))) return at
  }
  return Number.POSITIVE_INFINITY
}
