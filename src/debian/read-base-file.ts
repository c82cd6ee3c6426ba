import { type Source, UserError } from '#diagnostics'
import type { BaseConfig, BaseKind, BaseSpec, BaseVariant, NamedArchitecture, RepositorySpec } from './base-spec.ts'
import { readSystemSettings, readWithout, systemKeys } from './read-system-settings.ts'
import { rulesOfClass } from './path-filter.ts'
import type { Relation } from './relation.ts'
import type { Wanted } from './solve.ts'
import { readYaml, type YamlValue } from './yaml-reader.ts'

/** All keys of a base file. */
export const baseKeys = [
  'suite',
  'kind',
  'architecture',
  'architectures',
  'variant',
  'components',
  'mirror',
  'repositories',
  'keyring',
  'trusted',
  'packages',
  'omit',
  'without',
  'layers',
  ...systemKeys,
  'env',
  'user',
  'workdir',
  'entrypoint',
  'cmd',
  'labels',
] as const

export const repositoryKeys = ['uri', 'suites', 'components', 'keyring', 'trusted', 'check-valid-until'] as const

type Fields = Readonly<Partial<Record<(typeof baseKeys)[number], YamlValue>>>

/** Reads a base file (YAML). Throws a `UserError` with line and column for everything it does not know or understand. */
export function readBaseFile(source: Source): BaseSpec {
  const root = readYaml(source)
  const fields = root.fields(baseKeys)
  if (fields.suite === undefined) {
    throw root.error('the base file does not say which suite', 'add a line such as "suite: bookworm"')
  }
  const components = words(fields.components, 'component') ?? ['main']
  const kind = fields.kind ? baseKind(fields.kind) : 'full'
  refuseForeignKeys(fields, kind)
  return {
    suite: word(fields.suite, 'suite'),
    kind,
    architectures: architectures(fields),
    variant: fields.variant ? variant(fields.variant) : 'minbase',
    components,
    mirrors: fields.mirror?.itemsOrOne().map(uri) ?? [],
    repositories: fields.repositories?.items().map(value => repository(value, components)) ?? [],
    keyrings: fields.keyring?.itemsOrOne().map(path) ?? [],
    trusted: fields.trusted?.boolean() ?? false,
    packages: fields.packages?.items().map(wantedPackage) ?? [],
    omit: words(fields.omit, 'package') ?? [],
    without: fields.without ? readWithout(fields.without) : kind === 'minimal' ? usualWithout : [],
    layers: fields.layers ? layers(fields.layers) : 1,
    system: readSystemSettings(fields),
    config: config(fields),
  }
}

/** What a minimal base leaves out unless its file says what: nobody reads manuals in it, nobody starts services by scripts. */
const usualWithout = [
  'doc',
  'man',
  'info',
  'help',
  'locale',
  'lintian',
  'bug',
  'completion',
  'menu',
  'systemd',
  'init',
].flatMap(name => rulesOfClass(name) ?? [])

function baseKind(value: YamlValue): BaseKind {
  const text = value.text()
  if (text === 'full' || text === 'minimal') return text
  throw value.error(`unknown kind ${JSON.stringify(text)}`, 'write full or minimal')
}

function refuseForeignKeys(fields: Fields, kind: BaseKind): void {
  if (kind === 'minimal' && fields.variant) {
    throw fields.variant.error('a minimal base has no variant', 'remove the line: it has what "packages" lists')
  }
  if (kind === 'full' && fields.omit) {
    throw fields.omit.error('a full base cannot omit dependencies', 'remove the line, or write "kind: minimal"')
  }
}

function architectures({ architecture, architectures: several }: Fields): readonly NamedArchitecture[] {
  if (architecture && several) {
    throw architecture.error('architecture and architectures cannot both be given', 'remove one of them')
  }
  const named = (value: YamlValue): NamedArchitecture => ({ name: word(value, 'architecture'), at: value.at })
  if (architecture) return [named(architecture)]
  const list = several?.itemsOrOne().map(named) ?? []
  if (several && list.length === 0) throw several.error('at least one architecture is needed', 'write [amd64, arm64]')
  const twice = list.find(({ name }, i) => list.findIndex(other => other.name === name) !== i)
  if (twice) throw new UserError(`${twice.name} is listed twice`, { hint: 'remove one of them', at: twice.at })
  return list
}

/** More would not be sensible: engines stop at 127. */
const mostLayers = 100

function layers(value: YamlValue): number {
  const text = value.text()
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= mostLayers) return Number(text)
  throw value.error(`${JSON.stringify(text)} is not a number of layers`, `write a number from 1 to ${mostLayers}`)
}

function word(value: YamlValue, what: string): string {
  const text = value.text()
  if (/^[A-Za-z0-9][A-Za-z0-9._+~/-]*$/.test(text) && !text.split('/').includes('..')) return text
  throw value.error(`${JSON.stringify(text)} is not a ${what}`, `a ${what} is one word, such as ${examples[what]}`)
}

const examples: Readonly<Record<string, string>> = {
  suite: 'bookworm',
  architecture: 'amd64',
  component: 'main',
  package: 'debconf',
}

function words(value: YamlValue | undefined, what: string): readonly string[] | undefined {
  const found = value?.itemsOrOne().map(item => word(item, what))
  if (value && found?.length === 0) throw value.error(`at least one ${what} is needed`, `write [${examples[what]}]`)
  return found
}

function variant(value: YamlValue): BaseVariant {
  const text = value.text()
  if (text === 'essential' || text === 'apt' || text === 'minbase') return text
  throw value.error(`unknown variant ${JSON.stringify(text)}`, 'write minbase, apt or essential')
}

function uri(value: YamlValue): string {
  const text = value.text()
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['http:', 'https:', 'file:'].includes(url.protocol)) return text.replace(/\/+$/, '')
  throw value.error(`${JSON.stringify(text)} is not the address of a repository`, 'write http://, https:// or file:///')
}

function path(value: YamlValue): string {
  const text = value.text()
  if (text !== '' && !text.includes('\0')) return text
  throw value.error('a path is needed here', 'write the path of a file')
}

function repository(value: YamlValue, components: readonly string[]): RepositorySpec {
  const fields = value.fields(repositoryKeys)
  const suites = words(fields.suites, 'suite')
  if (!fields.uri || !suites) {
    throw value.error('a repository needs an address and suites', 'write "uri: …" and "suites: [bookworm]"')
  }
  return {
    uri: uri(fields.uri),
    suites,
    components: words(fields.components, 'component') ?? components,
    keyrings: fields.keyring?.itemsOrOne().map(path) ?? [],
    trusted: fields.trusted?.boolean() ?? false,
    checkValidUntil: fields['check-valid-until']?.boolean() ?? true,
  }
}

const packageForm = /^([a-z0-9][a-z0-9+.-]+)(?:=([A-Za-z0-9.+~:-]+))?$/

function wantedPackage(value: YamlValue): Wanted {
  const text = value.text()
  const [, name, version] = packageForm.exec(text) ?? []
  if (name === undefined) {
    throw value.error(`${JSON.stringify(text)} is not a package`, 'write name or name=version, in lower case')
  }
  const relation: Relation = version === undefined ? { name } : { name, operator: '=', version }
  return { relation, at: value.at }
}

function config(fields: Fields): BaseConfig {
  const env = fields.env?.entries().map(({ key, at, value }) => {
    if (key === '' || key.includes('=')) {
      throw new UserError(`${JSON.stringify(key)} cannot be the name of a variable`, { hint: 'write NAME: value', at })
    }
    return `${key}=${plainText(value)}`
  })
  const labels = fields.labels?.entries().map(({ key, value }) => [key, plainText(value)] as const)
  return {
    env: env ?? [],
    labels: Object.fromEntries(labels ?? []),
    ...(fields.user && { user: user(fields.user) }),
    ...(fields.workdir && { workdir: workdir(fields.workdir) }),
    ...(fields.entrypoint && { entrypoint: fields.entrypoint.items().map(plainText) }),
    ...(fields.cmd && { cmd: fields.cmd.items().map(plainText) }),
  }
}

function plainText(value: YamlValue): string {
  const text = value.text()
  if (!text.includes('\0')) return text
  throw value.error('a NUL character cannot be part of this', 'remove it')
}

function user(value: YamlValue): string {
  const text = value.text()
  if (/^[A-Za-z0-9._][A-Za-z0-9._-]*(:[A-Za-z0-9._][A-Za-z0-9._-]*)?$/.test(text)) return text
  throw value.error(`${JSON.stringify(text)} is not a user`, 'write user, user:group, or numbers')
}

function workdir(value: YamlValue): string {
  const text = plainText(value)
  if (text.startsWith('/')) return text
  throw value.error('the working directory must be an absolute path', `write /${text}`)
}
