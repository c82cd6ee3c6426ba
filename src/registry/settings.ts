import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '#diagnostics'

/** How registries are reached, besides credentials and certificates. */
export interface RegistrySettings {
  /** Registries that may be spoken to without TLS, or with a certificate that nobody vouches for. */
  readonly insecure: readonly string[]
  /** Registry → mirrors, in the order in which they are asked before it. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>
}

export interface SettingsSources {
  /** `SLIPWAY_REGISTRY_MIRRORS`, `SLIPWAY_INSECURE_REGISTRIES`, `XDG_CONFIG_HOME`, `HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** From the command line: `HOST=MIRROR`. */
  readonly mirrors?: readonly string[]
  readonly insecure?: readonly string[]
}

const hostForm = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d+)?$/
const pathForm = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/

/**
 * Joins what the command line, the environment (comma-separated) and `$XDG_CONFIG_HOME/slipway/registries.json`
 * (`{"mirrors": {"HOST": ["MIRROR"]}, "insecure": ["HOST"]}`) say; earlier ones come first. Throws a `UserError` that names the source.
 */
export function registrySettings({ env, mirrors = [], insecure = [] }: SettingsSources): RegistrySettings {
  const found = new Map<string, string[]>()
  const add = (host: string, mirror: string, from: string): void => {
    const key = checkedHost(host, from)
    found.set(key, [...new Set([...(found.get(key) ?? []), checkedMirror(mirror, from)])])
  }
  const addPair = (text: string, from: string): void => {
    const equals = text.indexOf('=')
    if (equals < 1) {
      throw new UserError(`${from}: ${JSON.stringify(text)} is not of the form HOST=MIRROR`, {
        hint: 'such as docker.io=mirror.example:5000',
      })
    }
    add(text.slice(0, equals), text.slice(equals + 1), from)
  }
  for (const text of mirrors) addPair(text, '--registry-mirror')
  for (const text of listed(env['SLIPWAY_REGISTRY_MIRRORS'])) addPair(text, 'SLIPWAY_REGISTRY_MIRRORS')
  const hosts = insecure.map(host => checkedHost(host, '--insecure-registry'))
  for (const host of listed(env['SLIPWAY_INSECURE_REGISTRIES'])) {
    hosts.push(checkedHost(host, 'SLIPWAY_INSECURE_REGISTRIES'))
  }
  const file = readSettingsFile(env)
  if (file !== undefined) {
    for (const [host, list] of Object.entries(file.mirrors)) for (const mirror of list) add(host, mirror, file.path)
    for (const host of file.insecure) hosts.push(checkedHost(host, file.path))
  }
  return { insecure: [...new Set(hosts)], mirrors: found }
}

function listed(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}

function checkedHost(text: string, from: string): string {
  const host = text.trim()
  if (host === 'index.docker.io' || host === 'registry-1.docker.io') return 'docker.io'
  if (hostForm.test(host)) return host
  throw new UserError(`${from}: ${JSON.stringify(text)} is not the host of a registry`, {
    hint: 'write HOST or HOST:PORT, without http://',
  })
}

function checkedMirror(text: string, from: string): string {
  const [host = '', ...path] = text.trim().replace(/\/+$/, '').split('/')
  if (path.length > 0 && !pathForm.test(path.join('/'))) {
    throw new UserError(`${from}: ${JSON.stringify(text)} is not a mirror`, {
      hint: 'write HOST[:PORT][/PATH], without https://',
    })
  }
  return [checkedHost(host, from), ...path].join('/')
}

interface SettingsFile {
  readonly path: string
  readonly mirrors: Readonly<Record<string, readonly string[]>>
  readonly insecure: readonly string[]
}

/** The file with settings that hold always; it need not be there. Undefined: there is no home for it. */
export function settingsPath(env: SettingsSources['env']): string | undefined {
  const home = env['HOME']
  const config = env['XDG_CONFIG_HOME'] || (home && join(home, '.config'))
  return config ? join(config, 'slipway', 'registries.json') : undefined
}

function readSettingsFile(env: SettingsSources['env']): SettingsFile | undefined {
  const path = settingsPath(env)
  if (path === undefined) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new UserError(`cannot read ${path}: ${code ?? 'unknown error'}`, {
      hint: 'check the permissions of the file',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`, { hint: 'mend the file' })
  }
  const { mirrors = {}, insecure = [], ...others } = (value ?? {}) as Readonly<Record<string, unknown>>
  const [other] = Object.keys(others)
  if (other !== undefined) throw wrong(path, `knows no key ${JSON.stringify(other)}`)
  if (!isTexts(insecure)) throw wrong(path, '"insecure" is not a list of texts')
  if (typeof mirrors !== 'object' || mirrors === null || !Object.values(mirrors).every(isTexts)) {
    throw wrong(path, '"mirrors" does not map each registry to a list of texts')
  }
  return { path, insecure, mirrors: mirrors as SettingsFile['mirrors'] }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string')
}

function wrong(path: string, problem: string): UserError {
  return new UserError(`${path}: ${problem}`, {
    hint: 'it looks like {"mirrors": {"docker.io": ["mirror.example"]}, "insecure": ["registry.test:5000"]}',
  })
}
