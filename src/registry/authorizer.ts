import type { Http, HttpResponse } from '#http'
import { type Challenge, parseChallenges } from './challenge.ts'
import { basicAuthorization, type Credential, type Credentials } from './credentials.ts'
import { RegistryError } from './registry-error.ts'
import { fetchToken, type Token, tokenRealm } from './token.ts'

/** What a server wants, as far as it said. */
type Wanted =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined }

/** Knows how to satisfy one server, and keeps the tokens that it got for it. */
export interface Authorizer {
  /** The value of `Authorization` for these scopes; undefined: none. */
  header(scopes: readonly string[]): Promise<string | undefined>
  /** Learns what the server wants from a first answer. */
  note(response: Pick<HttpResponse, 'header'>): void
  /**
   * After a 401: learns what the server wants. `sent` is what it refused. False where trying again is useless.
   */
  learn(response: Pick<HttpResponse, 'header'>, scopes: readonly string[], sent?: string): Promise<boolean>
}

export interface AuthorizerOptions {
  readonly http: Http
  readonly credentials: Credentials
  /** As users name it. */
  readonly registry: string
  /** Whether the server itself is spoken to without TLS; then its token server may be, too. */
  readonly allowPlainRealm: boolean
  readonly signal?: AbortSignal
}

export function openAuthorizer(options: AuthorizerOptions): Authorizer {
  const { registry, credentials } = options
  let wanted: Wanted = { kind: 'nothing' }
  const extra = new Map<string, readonly string[]>()
  const tokens = new Map<string, Promise<Token>>()
  const found = new Map<string, Promise<Credential | undefined>>()
  const credential = (scopes: readonly string[]) => {
    const repository = repositoryOf(scopes)
    const key = repository ?? ''
    const known = found.get(key) ?? credentials.find(registry, repository)
    found.set(key, known)
    return known
  }
  const token = async (scopes: readonly string[]): Promise<Token> => {
    const { realm, service } = wanted as Extract<Wanted, { kind: 'bearer' }>
    const all = [...new Set([...scopes, ...(extra.get(keyOf(scopes)) ?? [])])]
    const known = tokens.get(keyOf(scopes))
    if (known !== undefined) {
      const held = await known.catch(() => undefined)
      if (held !== undefined && held.goodUntil > Date.now()) return held
    }
    const fetching = credential(scopes).then(who =>
      fetchToken({ ...options, realm, service, scopes: all, credential: who }),
    )
    tokens.set(keyOf(scopes), fetching)
    return fetching
  }
  return {
    async header(scopes) {
      if (wanted.kind === 'nothing') return undefined
      const who = await credential(scopes)
      if (who?.kind === 'registry-token') return `Bearer ${who.token}`
      if (wanted.kind === 'bearer') return `Bearer ${(await token(scopes)).value}`
      return who?.kind === 'password' ? basicAuthorization(who) : undefined
    },
    note(response) {
      wanted = choose(parseChallenges(response.header('www-authenticate') ?? ''), options)
    },
    async learn(response, scopes, sent) {
      const challenges = parseChallenges(response.header('www-authenticate') ?? '')
      const before = wanted
      wanted = choose(challenges, options)
      if (wanted.kind === 'nothing') return false
      const who = await credential(scopes)
      if (wanted.kind === 'basic') return who?.kind === 'password' && sent !== basicAuthorization(who)
      const asked = scopesOf(challenges)
      const fresh = asked.filter(scope => !scopes.includes(scope))
      if (fresh.length > 0) extra.set(keyOf(scopes), fresh)
      tokens.delete(keyOf(scopes))
      return sent === undefined || before.kind !== 'bearer' || who?.kind !== 'registry-token'
    },
  }
}

/** A token is worth more than a password that the registry itself would have to see. */
function choose(challenges: readonly Challenge[], options: AuthorizerOptions): Wanted {
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'))
  if (bearer !== undefined) {
    const realm = tokenRealm(bearer.parameters.get('realm') ?? '', options)
    return { kind: 'bearer', realm, service: bearer.parameters.get('service') }
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' }
  if (challenges.length === 0) return { kind: 'nothing' }
  const names = challenges.map(({ scheme }) => scheme).join(', ')
  throw new RegistryError(`${options.registry} wants an authentication that slipway does not know: ${names}`, {
    registry: options.registry,
    action: 'log in to',
    hint: 'registries are known that take a password (Basic) or a token (Bearer)',
  })
}

function scopesOf(challenges: readonly Challenge[]): readonly string[] {
  const scope = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.get('scope')
  return scope === undefined ? [] : scope.split(' ').filter(text => text !== '')
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(' ')
}

/** `repository:a/b:pull` → `a/b`. */
function repositoryOf([first]: readonly string[]): string | undefined {
  return first === undefined ? undefined : /^repository:(.+):[^:]+$/.exec(first)?.[1]
}
