import { UserError } from '#diagnostics'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The proxy for a URL, by curl's rules: `http_proxy` or `https_proxy`, else `all_proxy`, unless `no_proxy` names the host.
 * Lower case comes first. Throws a `UserError` for a proxy that is not a URL.
 */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const scheme = url.protocol.slice(0, -1)
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, 'all_proxy', 'ALL_PROXY']
  const name = names.find(candidate => env[candidate] !== undefined && env[candidate] !== '')
  if (name === undefined || excluded(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined
  return parseProxy(name, env[name] ?? '')
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.hostname && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new UserError(`${name} is not the address of a proxy`, {
    hint: 'write http://host:port or https://host:port; SOCKS is not supported',
  })
}

/** `no_proxy`: names cover themselves and what is below, `*` everything, `address/bits` a network; a port narrows. */
function excluded(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '')
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list
    .split(/[\s,]+/)
    .filter(item => item !== '')
    .some(item => covers(item.toLowerCase(), host, port))
}

function covers(item: string, host: string, port: string): boolean {
  if (item === '*') return true
  const network = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(item)
  if (network) return inNetwork(host, network[1] ?? '', Number(network[2]))
  const [, name = '', itemPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(item.includes('::') ? `[${item}]` : item) ?? []
  if (itemPort !== undefined && itemPort !== port) return false
  const suffix = name.replace(/^\*?\./, '')
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`))
}

function inNetwork(host: string, base: string, bits: number): boolean {
  const a = ipv4(host)
  const b = ipv4(base)
  if (a === undefined || b === undefined || bits > 32) return false
  return bits === 0 || a >>> (32 - bits) === b >>> (32 - bits)
}

function ipv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some(part => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}
