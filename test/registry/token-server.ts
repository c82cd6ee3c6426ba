import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { X509Certificate } from 'node:crypto'
import type { Account } from './debian-registry.ts'

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly method: string
  readonly scopes: readonly string[]
  readonly service: string | null
  /** Who it was, if anybody. */
  readonly account: string | undefined
}

export interface TokenServer extends AsyncDisposable {
  readonly realm: string
  readonly issuer: string
  readonly requests: readonly TokenRequest[]
  /** Every token that was given. */
  readonly issued: readonly string[]
}

export interface TokenServerOptions {
  readonly key: string
  readonly certificate: string
  readonly accounts: readonly Account[]
  /** Refresh tokens and whose they are. */
  readonly identityTokens?: Readonly<Record<string, string>>
  /** Whether others may pull. */
  readonly anonymousPull?: boolean
}

/** A token server (distribution, "Token Authentication Specification") that signs with a certificate's key. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const issuer = 'token server of the tests'
  const requests: TokenRequest[] = []
  const issued: string[] = []
  const server = createServer((request, response) => {
    void answer(request, { ...options, issuer, requests, issued }).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    realm: `http://127.0.0.1:${address.port}/token`,
    issuer,
    requests,
    issued,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

interface Serving extends TokenServerOptions {
  readonly issuer: string
  readonly requests: TokenRequest[]
  readonly issued: string[]
}

async function answer(request: IncomingMessage, serving: Serving): Promise<{ status: number; body: object }> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const form = request.method === 'POST' ? new URLSearchParams(await bodyOf(request)) : url.searchParams
  const scopes = form.getAll('scope').flatMap(scope => scope.split(' '))
  const who = request.method === 'POST' ? refreshed(form, serving) : named(request.headers.authorization, serving)
  serving.requests.push({
    method: request.method ?? '',
    scopes,
    service: form.get('service'),
    account: who || undefined,
  })
  if (who === false) return { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'unknown user' }] } }
  const access = scopes.flatMap(scope => {
    const [type = '', name = '', actions = ''] = scope.split(':')
    const granted = actions
      .split(',')
      .filter(action => who !== '' || (serving.anonymousPull === true && action === 'pull'))
    return granted.length > 0 ? [{ type, name, actions: granted }] : []
  })
  const token = sign({ ...serving, service: form.get('service') ?? '', subject: who, access })
  serving.issued.push(token)
  // No "expires_in": then a token is good for 60 seconds.
  return { status: 200, body: request.method === 'POST' ? { access_token: token } : { token } }
}

/** The user's name; empty: nobody; false: somebody else. */
function named(authorization: string | undefined, { accounts }: Serving): string | false {
  if (authorization === undefined) return ''
  const given = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
  return accounts.find(({ username, password }) => given === `${username}:${password}`)?.username ?? false
}

function refreshed(form: URLSearchParams, { identityTokens = {} }: Serving): string | false {
  if (form.get('grant_type') !== 'refresh_token') return false
  return identityTokens[form.get('refresh_token') ?? ''] ?? false
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** A JSON web token (RFC 7519, RFC 7515) with the certificate in its head. */
function sign(wanted: {
  readonly key: string
  readonly certificate: string
  readonly issuer: string
  readonly service: string
  readonly subject: string
  readonly access: readonly object[]
}): string {
  const now = Math.floor(Date.now() / 1000)
  const x5c = [new X509Certificate(readFileSync(wanted.certificate)).raw.toString('base64')]
  const claims = {
    iss: wanted.issuer,
    sub: wanted.subject,
    aud: wanted.service,
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: `${now}-${Math.random()}`,
    access: wanted.access,
  }
  const head = Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'ES256', x5c })).toString('base64url')
  const text = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = createSign('sha256')
    .update(text)
    .sign({ key: readFileSync(wanted.key), dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}
