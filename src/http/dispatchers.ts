import type { Dispatcher } from 'undici'
import { certificateAuthorities } from './certificates.ts'
import type { HttpOptions, HttpTimeouts } from './http.ts'
import { proxyFor } from './proxy.ts'

/** Connections, made when first needed and kept for the next request. */
export interface Dispatchers extends AsyncDisposable {
  readonly timeouts: HttpTimeouts
  /** The connections that lead to a URL, and the proxy they go through. */
  for(url: URL): Promise<{ readonly dispatcher: Dispatcher; readonly proxy: URL | undefined }>
  request: typeof import('undici').request
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
    const shared = {
      connections: options.connections ?? 8,
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.stall,
      connectTimeout: timeouts.connect,
      allowH2: false,
    }
    if (proxy === undefined) return new Agent({ ...shared, connect: tls })
    return new ProxyAgent({ ...shared, uri: proxy.href, requestTls: tls, proxyTls: tls })
  }
  return {
    timeouts,
    request,
    async for(url) {
      const proxy = proxyFor(url, options.env)
      const key = `${url.protocol} ${proxy?.href ?? ''}`
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
