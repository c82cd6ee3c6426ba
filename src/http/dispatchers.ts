import { getCACertificates } from 'node:tls'
import type { Dispatcher } from 'undici'
import { certificateAuthorities } from './certificates.ts'
import type { HttpOptions, HttpTimeouts, ServerTls } from './http.ts'
import { proxyFor } from './proxy.ts'

/** Connections, made when first needed and kept for the next request. */
export interface Dispatchers extends AsyncDisposable {
  readonly timeouts: HttpTimeouts
  /** The connections that lead to a URL, and the proxy they go through. */
  for(url: URL): Promise<{ readonly dispatcher: Dispatcher; readonly proxy: URL | undefined }>
  request: typeof import('undici').request
  /** Origins that answered, whatever they said. */
  readonly reached: Set<string>
}

/** Loads the HTTP client. */
export async function openDispatchers(options: HttpOptions): Promise<Dispatchers> {
  const { Agent, ProxyAgent, request } = await import('undici')
  const timeouts: HttpTimeouts = { connect: 20_000, headers: 60_000, stall: 30_000, ...options.timeouts }
  const known = new Map<string, Dispatcher>()
  let ca: { readonly list: string[] | undefined } | undefined
  const make = (url: URL, proxy: URL | undefined): Dispatcher => {
    const encrypted = url.protocol === 'https:' || proxy?.protocol === 'https:'
    if (encrypted) ca ??= { list: certificateAuthorities(options) }
    const tls = { timeout: timeouts.connect, ...(encrypted && ca?.list && { ca: ca.list }) }
    const server = url.protocol === 'https:' ? options.tlsOf?.(url.host) : undefined
    const serverTls = server === undefined ? tls : { ...tls, ...tlsOptions(server, ca?.list) }
    const shared = {
      connections: options.connections ?? 8,
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.stall,
      connectTimeout: timeouts.connect,
      allowH2: false,
    }
    if (proxy === undefined) return new Agent({ ...shared, connect: serverTls })
    return new ProxyAgent({ ...shared, uri: proxy.href, requestTls: serverTls, proxyTls: tls })
  }
  return {
    timeouts,
    request,
    reached: new Set(),
    async for(url) {
      const proxy = proxyFor(url, options.env)
      const own = options.tlsOf !== undefined && url.protocol === 'https:' ? url.host : ''
      const key = `${url.protocol} ${proxy?.href ?? ''} ${own}`
      const dispatcher = known.get(key) ?? make(url, proxy)
      known.set(key, dispatcher)
      return { dispatcher, proxy }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...known.values()].map(dispatcher => dispatcher.destroy()))
      known.clear()
    },
  }
}

/** What a connection to a server takes beyond what every one takes. `trusted`: authorities for all servers, if not Node's own. */
function tlsOptions(server: ServerTls, trusted: readonly string[] | undefined) {
  const { ca, certificate, key, unverified } = server
  return {
    ...(ca !== undefined && { ca: [...(trusted ?? getCACertificates('default')), ...ca] }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(unverified === true && { rejectUnauthorized: false }),
  }
}
