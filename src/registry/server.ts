import { HttpError, type Http, type HttpRequest, type HttpResponse } from '#http'
import { type Authorizer, openAuthorizer } from './authorizer.ts'
import type { Credentials } from './credentials.ts'
import { isLocalHost, serverHost } from './server-address.ts'

/** A request to a registry's server. */
export interface ServerRequest extends Omit<HttpRequest, 'url'> {
  /** A path from `/v2/`, or a whole address that the server gave. */
  readonly url: string | URL
  /** What has to be allowed: `repository:a/b:pull`. */
  readonly scopes: readonly string[]
}

/** A machine that speaks the distribution protocol; it finds out by itself whether with TLS and for whom. */
export interface Server {
  /** As users name it. */
  readonly registry: string
  /**
   * Sends a request with what the server wants to see. A 401 that nothing helps against is an answer like every other status that
   * the request allows, else an `HttpError`. Credentials go to the server itself only.
   */
  request(request: ServerRequest): Promise<HttpResponse>
  /** The whole address of a path. */
  address(path: string): Promise<URL>
}

export interface ServerOptions {
  readonly http: Http
  readonly credentials: Credentials
  /** As users name it; with a path where a mirror has one: `mirror:5000/hub`. */
  readonly registry: string
  readonly insecure: boolean
  readonly signal?: AbortSignal
}

interface Known {
  readonly origin: string
  readonly authorizer: Authorizer
}

export function openServer(options: ServerOptions): Server {
  let knowing: Promise<Known> | undefined
  const known = async (): Promise<Known> => {
    knowing ??= greet(options)
    try {
      return await knowing
    } catch (error) {
      knowing = undefined
      throw error
    }
  }
  return {
    registry: options.registry,
    async address(path) {
      return new URL(path, (await known()).origin)
    },
    async request({ url, scopes, ...rest }) {
      const { origin, authorizer } = await known()
      const target = new URL(url, origin)
      const ours = target.origin === origin
      const request: HttpRequest = { ...rest, url: target, ...(options.signal && { signal: options.signal }) }
      if (!ours) return options.http.request(request)
      return authorized(options.http, authorizer, { request, scopes })
    },
  }
}

/** How often credentials are tried: a token may have just run out, and a new one may need another scope. */
const authorizations = 3

async function authorized(
  http: Http,
  authorizer: Authorizer,
  { request, scopes }: { readonly request: HttpRequest; readonly scopes: readonly string[] },
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const authorization = await authorizer.header(scopes)
    const more = attempt < authorizations
    const response = await http.request({
      ...request,
      headers: { ...request.headers, ...(authorization !== undefined && { authorization }) },
      allow: [...(request.allow ?? []), ...(more ? [401] : [])],
    })
    if (response.status !== 401 || !more) return response
    const again = await authorizer.learn(response, scopes, authorization)
    if (again) {
      await response.discard()
      continue
    }
    if (request.allow?.includes(401) === true) return response
    const body = await response.bytes(64 << 10).catch(() => Buffer.alloc(0))
    throw new HttpError(`${new URL(request.url).host} answered 401 (Unauthorized)`, {
      hint: 'check the credentials',
      url: response.url,
      status: 401,
      body: body.toString('utf8'),
    })
  }
}

/**
 * Asks for `/v2/` to learn whether the server speaks TLS and what it wants to see (distribution-spec, "Determining Support").
 * TLS alone is tried, except with registries of this machine (first without: nothing secret is in the question) and
 * with insecure ones (last without).
 */
async function greet(options: ServerOptions): Promise<Known> {
  const host = serverHost(options.registry)
  const secure = `https://${host}`
  const plain = `http://${host}`
  const local = isLocalHost(host)
  if (!local && !options.insecure) return (await greetAt(secure, options)) as Known
  const [first, second] = local ? [plain, secure] : [secure, plain]
  const early = await greetAt(first, options, 1).catch((error: unknown) => giveUp(error, options))
  if (early === 'wants TLS') return (await greetAt(secure, options)) as Known
  if (early !== undefined) return early
  const other = await greetAt(second, options, 1).catch((error: unknown) => giveUp(error, options))
  if (other !== undefined && other !== 'wants TLS') return other
  return (await greetAt(first, options)) as Known
}

/** Swallows what may be different without TLS, or the next time. */
function giveUp(error: unknown, { signal }: ServerOptions): undefined {
  signal?.throwIfAborted()
  if (!(error instanceof HttpError) || error.status !== undefined || /certificate/.test(error.message)) throw error
}

async function greetAt(origin: string, options: ServerOptions, attempts?: number): Promise<Known | 'wants TLS'> {
  const { http, insecure, signal } = options
  const response = await http.request({
    url: `${origin}/v2/`,
    allow: [400, 401, 403, 404, 405],
    ...(attempts !== undefined && { attempts }),
    ...(signal && { signal }),
  })
  const plain = origin.startsWith('http:')
  if (plain && response.status === 400) {
    await response.discard()
    return 'wants TLS'
  }
  const authorizer = openAuthorizer({ ...options, allowPlainRealm: plain || insecure })
  if (response.status === 401) authorizer.note(response)
  await response.discard()
  return { origin: new URL(origin).origin, authorizer }
}
