import { parseParagraphs } from './control-file.ts'

/** One source of an apt configuration: an address with suites and components. */
export interface AptSource {
  /** Without trailing slash. */
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
  /** Absolute paths of keyrings; empty: apt's own. */
  readonly signedBy: readonly string[]
  /** A key written into the source itself, armored. */
  readonly key?: string
  readonly trusted: boolean
  readonly checkValidUntil: boolean
  /** Architectures it is limited to; empty: all. */
  readonly architectures: readonly string[]
}

/** Reads a `.sources` file (sources.list(5), "deb822-style format"): enabled `deb` sources with addresses we can use. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  return parseParagraphs(text, true).flatMap(fields => {
    const list = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(word => word !== '')
    const flag = (name: string): boolean | undefined => yesNo(fields.get(name))
    if (!list('types').includes('deb') || flag('enabled') === false) return []
    const signedBy = fields.get('signed-by') ?? ''
    const common = {
      components: list('components'),
      ...keyring(signedBy),
      trusted: flag('trusted') ?? false,
      checkValidUntil: flag('check-valid-until') ?? true,
      architectures: list('architectures'),
    }
    return list('uris').flatMap(uri => list('suites').flatMap(suite => source(uri, suite, common)))
  })
}

/** Reads a `.list` file (sources.list(5), "one-line-style format"). */
export function parseOneLineSources(text: string): readonly AptSource[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line)
    if (!match) return []
    const [, options = '', uri = '', suite = '', rest = ''] = match
    const settings = new Map(
      options
        .split(/\s+/)
        .filter(word => word.includes('='))
        .map(word => [word.slice(0, word.indexOf('=')).toLowerCase(), word.slice(word.indexOf('=') + 1)] as const),
    )
    return source(uri, suite, {
      components: rest.split(/\s+/).filter(word => word !== ''),
      ...keyring((settings.get('signed-by') ?? '').replaceAll(',', ' ')),
      trusted: yesNo(settings.get('trusted')) ?? false,
      checkValidUntil: yesNo(settings.get('check-valid-until')) ?? true,
      architectures: (settings.get('arch') ?? '').split(',').filter(word => word !== ''),
    })
  })
}

function yesNo(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  return /^(yes|true|on|1|with|enable)$/i.test(text.trim())
}

/** `Signed-By` holds paths, fingerprints (which select among apt's own keys), or a whole key. */
function keyring(text: string): Pick<AptSource, 'signedBy' | 'key'> {
  if (text.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) {
    const key = text
      .split('\n')
      .map(line => line.trim())
      .map(line => (line === '.' ? '' : line))
      .join('\n')
      .trim()
    return { signedBy: [], key: `${key}\n` }
  }
  return { signedBy: text.split(/\s+/).filter(word => word.startsWith('/')) }
}

/** Repositories without components ("flat" ones, whose suite ends in a slash) and other methods are left out. */
function source(uri: string, suite: string, common: Omit<AptSource, 'uri' | 'suite'>): readonly AptSource[] {
  const address = uri.replace(/^copy:/, 'file:').replace(/\/+$/, '')
  if (!/^(https?:\/\/|file:\/)/.test(address) || suite.endsWith('/') || common.components.length === 0) return []
  return [{ uri: address, suite, ...common }]
}
