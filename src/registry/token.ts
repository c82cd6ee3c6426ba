import { HttpError, type Http, type HttpResponse } from '#http'
import { basicAuthorization, type Credential } from './credentials.ts'
import { printable, RegistryError } from './registry-error.ts'
import { isLocalHost } from './server-address.ts'

/** Lets its bearer do what its scopes say. */
export interface Token {
  readonly value: string
  /** Milliseconds since 1970. */
  readonly goodUntil: number
}

export interface TokenRequest {
  readonly http: Http
  readonly registry: string
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
  readonly signal?: AbortSignal
}

const answerLimit = 1 << 20
/** What the specification says where a server does not (distribution, "Token Authentication Specification"). */
const defaultSeconds = 60

/**
 * Where tokens are to be had. Throws where a password would travel unencrypted although the registry itself is spoken to with TLS.
 */
export function tokenRealm(
  text: string,
  options: { readonly registry: string; readonly allowPlainRealm: boolean },
): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined
  const plain = realm?.protocol === 'http:' && (options.allowPlainRealm || isLocalHost(realm.host))
  if (realm !== undefined && (realm.protocol === 'https:' || plain)) {
    realm.username = ''
    realm.password = ''
    return realm
  }
  throw new RegistryError(`${options.registry} names a token server that cannot be trusted: ${printable(text)}`, {
    registry: options.registry,
    action: 'log in to',
    hint: 'tokens are fetched over https only, except for registries of this machine and insecure ones',
  })
}

/** Gets a token (distribution, "Token Authentication Specification" and "OAuth 2.0 Token Authentication"). */
export async function fetchToken(wanted: TokenRequest): Promise<Token> {
  const asked = Date.now()
  const response =
    wanted.credential?.kind === 'identity-token' ? await refresh(wanted, wanted.credential.token) : await get(wanted)
  const answer = await readAnswer(wanted, response)
  const value = answer['token'] ?? answer['access_token']
  if (typeof value !== 'string' || value === '' || !/^[\x21-\x7e]+$/.test(value)) {
    throw failure(wanted, 'gave an answer without a token')
  }
  const given = Number(answer['expires_in'])
  const seconds = Number.isFinite(given) && given > 0 ? given : defaultSeconds
  // Some seconds early, so that it still holds when the request arrives.
  return { value, goodUntil: asked + Math.max(seconds - 10, seconds / 2) * 1000 }
}

async function get(wanted: TokenRequest): Promise<HttpResponse> {
  const { realm, service, scopes, credential } = wanted
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const password = credential?.kind === 'password' ? credential : undefined
  if (password !== undefined) url.searchParams.set('account', password.username)
  return ask(wanted, () =>
    wanted.http.request({
      url,
      headers: password === undefined ? {} : { authorization: basicAuthorization(password) },
      ...(wanted.signal && { signal: wanted.signal }),
    }),
  )
}

async function refresh(wanted: TokenRequest, token: string): Promise<HttpResponse> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: 'slipway' })
  if (wanted.service !== undefined) form.set('service', wanted.service)
  if (wanted.scopes.length > 0) form.set('scope', wanted.scopes.join(' '))
  return ask(wanted, () =>
    wanted.http.request({
      url: wanted.realm,
      method: 'POST',
      repeatable: true,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
      ...(wanted.signal && { signal: wanted.signal }),
    }),
  )
}

async function ask(wanted: TokenRequest, send: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    // The error itself shows the request's address, but neither its headers nor its body.
    if (error.status === undefined || error.status >= 500)
      throw failure(wanted, `failed: ${error.message}`, error.status, error.hint)
    throw failure(wanted, `answered ${error.status}`, error.status)
  }
}

async function readAnswer(wanted: TokenRequest, response: HttpResponse): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answer: unknown = JSON.parse((await response.bytes(answerLimit)).toString('utf8'))
    if (typeof answer === 'object' && answer !== null) return answer as Readonly<Record<string, unknown>>
  } catch (error) {
    if (error instanceof HttpError) throw failure(wanted, `failed: ${error.message}`)
  }
  throw failure(wanted, 'gave an answer that is not JSON')
}

function failure(
  { registry, realm, credential }: TokenRequest,
  problem: string,
  status?: number,
  hint?: string,
): RegistryError {
  const refused = status === 400 || status === 401 || status === 403
  const login = `"slipway login ${registry}"`
  const who =
    credential === undefined
      ? `log in with ${login}`
      : `name or password are wrong, or no longer good: log in again with ${login}`
  return new RegistryError(`${registry}: its token server ${realm.host} ${problem}`, {
    registry,
    action: 'log in to',
    ...(status !== undefined && { status }),
    hint: hint ?? (refused ? who : 'the token server has a problem; try again later'),
  })
}
