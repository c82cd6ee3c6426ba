import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { UserError } from '#diagnostics'
import type { Dispatchers } from './dispatchers.ts'
import type { HttpMethod, HttpRequest, HttpResponse, RetryPolicy } from './http.ts'
import { connectionError, displayUrl, HttpError, statusError } from './http-error.ts'
import { errorDelay, isIdempotent, pause, retriesError, retriesStatus, retryDelay } from './retry.ts'

/** One request as it goes over the wire: redirects change it. */
interface Hop {
  readonly url: URL
  readonly method: HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: HttpRequest['body']
}

const maximalRedirects = 10
const errorBodyLimit = 4096

/** Sends a request until an answer is final: redirects followed, temporary failures tried again. */
export async function send(request: HttpRequest, dispatchers: Dispatchers, policy: RetryPolicy): Promise<HttpResponse> {
  let hop = firstHop(request)
  for (let redirects = 0; ; redirects++) {
    const response = await sendHop(hop, request, dispatchers, policy)
    const location = response.header('location')
    if (response.status < 300 || response.status >= 400 || response.status === 304 || location === undefined) {
      return response
    }
    await response.discard()
    if (redirects === maximalRedirects) {
      throw new HttpError(`${hop.url.host} redirects more than ${maximalRedirects} times`, {
        hint: 'check the address; the server sends in circles',
        url: displayUrl(hop.url),
        status: response.status,
      })
    }
    hop = nextHop(hop, response.status, location)
  }
}

function firstHop(request: HttpRequest): Hop {
  const url = new URL(request.url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UserError(`unsupported address ${displayUrl(url)}`, {
      hint: 'only http: and https: addresses are fetched',
    })
  }
  const headers: Record<string, string> = { 'user-agent': 'slipway', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    headers['authorization'] ??= `Basic ${Buffer.from(credentials).toString('base64')}`
    url.username = ''
    url.password = ''
  }
  return { url, method: request.method ?? 'GET', headers, body: request.body }
}

/** What to ask next after a redirect (RFC 9110, section 15.4). */
function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new HttpError(`${hop.url.host} redirects to an address that cannot be used`, {
      hint: 'the server is at fault',
      url: displayUrl(hop.url),
      status,
    })
  }
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new HttpError(`${hop.url.host} redirects from https to unencrypted http at ${url.host}`, {
      hint: 'use an address that stays on https',
      url: displayUrl(hop.url),
      status,
    })
  }
  url.username = ''
  url.password = ''
  const becomesGet = status === 303 || ((status === 301 || status === 302) && hop.method === 'POST')
  const method = becomesGet && hop.method !== 'HEAD' ? 'GET' : hop.method
  const secret = url.origin === hop.url.origin ? [] : ['authorization', 'cookie', 'proxy-authorization']
  const dropped = new Set([...secret, ...(becomesGet ? ['content-length', 'content-type'] : [])])
  const headers = Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !dropped.has(name)))
  return { url, method, headers, body: becomesGet ? undefined : hop.body }
}

async function sendHop(
  hop: Hop,
  { signal, allow = [], ...wanted }: HttpRequest,
  dispatchers: Dispatchers,
  policy: RetryPolicy,
): Promise<HttpResponse> {
  const { dispatcher, proxy } = await dispatchers.for(hop.url)
  const attempts = wanted.attempts ?? policy.attempts
  const repeatable = wanted.repeatable === true || isIdempotent(hop.method)
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    let delay: number | undefined
    const source: { error?: unknown } = {}
    try {
      const body = typeof hop.body === 'function' ? streamed(hop.body(), source) : (hop.body ?? null)
      const data = await dispatchers.request(hop.url.href, {
        dispatcher,
        method: hop.method,
        headers: hop.headers,
        body,
        ...(signal && { signal }),
      })
      dispatchers.reached.add(hop.url.origin)
      const response = toResponse(hop.url, data, signal)
      if (response.status < 400 || allow.includes(response.status)) return response
      if (attempt < attempts && retriesStatus(response.status, repeatable)) {
        delay = retryDelay(attempt, response.header('retry-after'), policy)
      }
      if (delay === undefined) throw statusError(hop.url, response.status, await beginning(response))
      await response.discard()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof UserError) throw error
      if ('error' in source) throw source.error
      const reached = dispatchers.reached.has(hop.url.origin)
      if (retriesError(error, repeatable)) delay = errorDelay(error, { attempt, attempts, reached }, policy)
      if (delay === undefined) throw connectionError(hop.url, error, proxy)
    }
    await pause(delay, signal)
  }
}

/** A body to send; what its source throws is kept apart from what the connection throws. */
function streamed(source: AsyncIterable<Uint8Array>, failed: { error?: unknown }): Readable {
  async function* watched(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await iterator.next().catch((error: unknown) => {
          failed.error = error
          throw error
        })
        if (next.done === true) return
        // An empty piece would end a body that is sent in pieces.
        if (next.value.length > 0) yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return Readable.from(watched(), { objectMode: false, highWaterMark: 1 << 18 })
}

function toResponse(url: URL, data: Dispatcher.ResponseData, signal: AbortSignal | undefined): HttpResponse {
  const body = readBody(url, data, signal)
  return {
    url: displayUrl(url),
    status: data.statusCode,
    header(name) {
      const value = data.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    body,
    async bytes(limit) {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of body) {
        size += chunk.length
        if (size > limit) {
          throw new HttpError(`the answer of ${url.host} for ${url.pathname} is larger than ${limit} bytes`, {
            hint: 'check the address; this is not what is expected there',
            url: displayUrl(url),
            status: data.statusCode,
          })
        }
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
    async discard() {
      data.body.on('error', () => undefined)
      await data.body.dump({ limit: 128 * 1024 }).catch(() => undefined)
    },
  }
}

async function* readBody(
  url: URL,
  data: Dispatcher.ResponseData,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of data.body) yield chunk as Uint8Array
  } catch (error) {
    signal?.throwIfAborted()
    throw connectionError(url, error)
  }
}

async function beginning(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= errorBodyLimit) break
    }
  } catch {
    // The status is what counts; its explanation may be cut off.
  }
  return Buffer.concat(chunks).subarray(0, errorBodyLimit).toString('utf8')
}
