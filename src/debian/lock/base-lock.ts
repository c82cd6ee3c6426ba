import { createHash } from 'node:crypto'
import { type Source, UserError } from '#diagnostics'
import type { BaseSpec } from '../base-spec.ts'

/** Exactly which packages a base consists of: what the solver found, without a word on where the mirror is. */
export interface BaseLock {
  /** Digest of what the base file says about packages: another file needs another lock. */
  readonly inputs: string
  /** In the order of the base file. */
  readonly systems: readonly LockedSystem[]
}

/** The packages for one architecture. */
export interface LockedSystem {
  readonly architecture: string
  readonly suites: readonly LockedSuite[]
  /** In the order in which the solver took them. */
  readonly packages: readonly LockedPackage[]
}

export interface LockedSuite {
  readonly suite: string
  readonly components: readonly string[]
  /** Who publishes it, in its own words. */
  readonly origin: string
  /** When it was published, in milliseconds since 1970. */
  readonly date: number
}

export interface LockedPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** The source package that it was built from. */
  readonly source: string
  /** Position in `suites`. */
  readonly suite: number
  /** Below the mirror's address. */
  readonly filename: string
  /** Bytes of the .deb. */
  readonly size: number
  /** Bytes, as the package estimates them. */
  readonly installedSize: number
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string
  /** What others need it for, or nothing: because somebody wants it, or every system has it. */
  readonly automatic: boolean
  /** Among the packages that must be there before anything can run. */
  readonly core: boolean
  /** Names of the packages in this system that it depends on, sorted. */
  readonly depends: readonly string[]
}

const format = 'slipway-base-lock/1'

/** What a base file says about packages, as a digest. */
export function lockInputs(spec: BaseSpec): string {
  const { suite, kind, variant, components, repositories, packages, omit, architectures, system } = spec
  const said = {
    suite,
    kind,
    variant,
    components,
    repositories: repositories.map(repository => [repository.suites, repository.components]),
    packages: packages.map(({ relation }) => relation),
    omit,
    architectures: architectures.map(({ name }) => name),
    timezone: kind === 'minimal' && system.timezone !== undefined,
  }
  return `sha256:${createHash('sha256').update(JSON.stringify(said)).digest('hex')}`
}

/** A lock as JSON, one package a line, so that a change shows as one. */
export function formatLock({ inputs, systems }: BaseLock): string {
  const list = (items: readonly string[], indent: string): string =>
    items.length === 0 ? '[]' : `[\n${items.map(item => `${indent}  ${item}`).join(',\n')}\n${indent}]`
  const system = ({ architecture, suites, packages }: LockedSystem): string => {
    const dated = suites.map(suite => JSON.stringify({ ...suite, date: new Date(suite.date).toISOString() }))
    const lines = packages.map(item => JSON.stringify(item))
    return [
      '{',
      `      "architecture": ${JSON.stringify(architecture)},`,
      `      "suites": ${list(dated, '      ')},`,
      `      "packages": ${list(lines, '      ')}`,
      '    }',
    ].join('\n')
  }
  return `{\n  "format": "${format}",\n  "inputs": "${inputs}",\n  "systems": ${list(systems.map(system), '  ')}\n}\n`
}

/** Reads a lock. Throws a `UserError` for what is none. */
export function parseLock(source: Source): BaseLock {
  const bad = (problem: string): UserError =>
    new UserError(`${source.name} is not a lock of a base: ${problem}`, { hint: 'make it again: slipway base lock' })
  let value: unknown
  try {
    value = JSON.parse(source.text)
  } catch {
    throw bad('it is not JSON')
  }
  const lock = record(value)
  if (lock?.['format'] !== format) throw bad(`its format is not ${format}`)
  const systems = array(lock['systems']).map(system)
  const inputs = lock['inputs']
  if (typeof inputs !== 'string' || systems.length === 0 || systems.includes(undefined)) {
    throw bad('something is missing or malformed')
  }
  return { inputs, systems: systems.filter(item => item !== undefined) }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function array(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function strings(value: unknown): readonly string[] {
  return array(value).filter(item => typeof item === 'string')
}

function system(value: unknown): LockedSystem | undefined {
  const fields = record(value)
  const architecture = fields?.['architecture']
  const suites = array(fields?.['suites']).map(suite)
  const packages = array(fields?.['packages']).map(item => lockedPackage(item, suites.length))
  if (typeof architecture !== 'string' || packages.length === 0) return undefined
  if (suites.includes(undefined) || packages.includes(undefined)) return undefined
  return {
    architecture,
    suites: suites.filter(item => item !== undefined),
    packages: packages.filter(item => item !== undefined),
  }
}

function suite(value: unknown): LockedSuite | undefined {
  const fields = record(value)
  const { suite: name, components, origin, date } = fields ?? {}
  const time = Date.parse(String(date))
  if (typeof name !== 'string' || typeof origin !== 'string' || Number.isNaN(time)) return undefined
  return { suite: name, components: strings(components), origin, date: time }
}

/** Names and versions become file names and words of commands, so they are checked like those of an index. */
function lockedPackage(value: unknown, suites: number): LockedPackage | undefined {
  const fields = record(value)
  if (fields === undefined) return undefined
  const text = (name: string, form: RegExp): string | undefined => {
    const found = fields[name]
    return typeof found === 'string' && form.test(found) ? found : undefined
  }
  const number = (name: string): number | undefined => {
    const found = fields[name]
    return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : undefined
  }
  const name = text('name', /^[a-z0-9][a-z0-9+.-]*$/)
  const version = text('version', /^[A-Za-z0-9.+~:-]+$/)
  const architecture = text('architecture', /^[a-z0-9-]+$/)
  const source = text('source', /^[a-z0-9][a-z0-9+.-]*$/)
  const filename = text('filename', /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]+$/)
  const sha256 = text('sha256', /^[0-9a-f]{64}$/)
  const [at, size, installedSize] = [number('suite'), number('size'), number('installedSize')]
  if (name === undefined || version === undefined || architecture === undefined || source === undefined)
    return undefined
  if (filename === undefined || sha256 === undefined || installedSize === undefined) return undefined
  if (at === undefined || at >= suites || size === undefined) return undefined
  const { automatic, core, depends } = fields
  const flags = { automatic: automatic === true, core: core === true, depends: strings(depends) }
  return { name, version, architecture, source, suite: at, filename, size, installedSize, sha256, ...flags }
}
