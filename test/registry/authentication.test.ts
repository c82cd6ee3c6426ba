import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHttp } from '#http'
import { digestOf } from '#oci'
import { type Credential, openRegistries, openStoredCredentials, type Repository, serverTls } from '#registry'
import { hasTool } from '../host.ts'
import { slipway, slipwayOk } from '../slipway.ts'
import {
  type Certificates,
  hasRegistry,
  makeCertificates,
  type RunningRegistry,
  startRegistry,
} from './debian-registry.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-authentication-'))
const account = { username: 'mia', password: 'correct horse: battery' }
const signal = new AbortController().signal
const bytes = Buffer.from('a blob that needs a permission')
const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length }

afterAll(() => rmSync(root, { recursive: true, force: true }))

async function* once(): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Does something with a repository, as somebody. */
async function within<T>(
  host: string,
  who: Credential | undefined | NodeJS.ProcessEnv,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  const env = who !== undefined && !('kind' in who) ? who : {}
  await using http = openHttp({ env, tlsOf: serverTls(env), retry: { firstDelay: 20 } })
  const credentials =
    who !== undefined && 'kind' in who
      ? { find: () => Promise.resolve(who as Credential) }
      : openStoredCredentials({ env, signal })
  return await work(openRegistries({ http, credentials }).repository({ domain: host, path: 'team/app' }))
}

const password: Credential = { kind: 'password', ...account }

describe.skipIf(!hasRegistry || !hasTool('htpasswd'))('basic authentication', () => {
  let registry: RunningRegistry
  beforeAll(async () => {
    registry = await startRegistry({ accounts: [account] })
  })
  afterAll(() => registry?.[Symbol.asyncDispose]())

  test('with the password it works, without it the error says to log in', async () => {
    await within(registry.host, password, repository => repository.write(blob, once()))
    await expect(within(registry.host, undefined, repository => repository.has(blob))).rejects.toMatchObject({
      status: 401,
      hint: expect.stringContaining(`slipway login ${registry.host}`) as string,
    })
    expect(await within(registry.host, password, repository => repository.has(blob))).toBe(true)
  })

  test('a wrong password is an error that does not show it', async () => {
    const wrong = { ...password, password: 'wr0ng-secret' } as Credential
    const error = await within(registry.host, wrong, repository => repository.has(blob)).catch((e: unknown) => e)
    expect(error).toMatchObject({ status: 401 })
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('wr0ng-secret')
  })

  test('login and logout', async () => {
    const home = mkdtempSync(join(root, 'home-'))
    const options = { root: home, input: `${account.password}\n` }
    const login = ['login', '-u', account.username, '--password-stdin', registry.host]
    const refused = await slipway(login, { ...options, input: 'wr0ng-secret' })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('answered 401')
    expect(refused.stderr).not.toContain('wr0ng-secret')
    const file = join(home, '.docker/config.json')
    mkdirSync(join(home, '.docker'))
    writeFileSync(file, JSON.stringify({ psFormat: 'table', auths: { 'other.test': { auth: 'eDp5' } } }))
    const done = await slipwayOk(login, options)
    expect(done.stdout).toBe('Login Succeeded\n')
    expect(done.stdout + done.stderr).not.toContain(account.password)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      psFormat: 'table',
      auths: {
        'other.test': { auth: 'eDp5' },
        [registry.host]: { auth: Buffer.from(`${account.username}:${account.password}`).toString('base64') },
      },
    })
    await slipwayOk(['tags', `${registry.host}/none`], options).then(
      () => expect.unreachable('a repository that is not there has no tags'),
      (error: Error) => expect(error.message).toContain('name unknown'),
    )
    await slipwayOk(['logout', registry.host], options)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      psFormat: 'table',
      auths: { 'other.test': { auth: 'eDp5' } },
    })
    const after = await slipway(['tags', `${registry.host}/none`], options)
    expect(after.stderr).toContain(`slipway login ${registry.host}`)
  })

  test('what docker wrote is read, also by a credential helper', async () => {
    const home = mkdtempSync(join(root, 'home-'))
    const bin = join(home, 'bin')
    mkdirSync(bin)
    mkdirSync(join(home, '.docker'))
    const helper = join(bin, 'docker-credential-tests')
    const kept = join(home, 'kept')
    writeFileSync(
      helper,
      `#!/bin/sh
case $1 in
get) read -r host; [ -f '${kept}' ] && grep -q "$host" '${kept}' && exec cat '${kept}'; echo "credentials not found in native keychain"; exit 1;;
store) exec cat > '${kept}';;
erase) exec rm '${kept}';;
esac
`,
    )
    chmodSync(helper, 0o755)
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ credHelpers: { [registry.host]: 'tests' } }))
    const PATH = `${bin}:${process.env['PATH']}`
    const options = { root: home, env: { PATH }, input: account.password }
    await slipwayOk(['login', '-u', account.username, '--password-stdin', registry.host], options)
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({
      ServerURL: registry.host,
      Username: account.username,
      Secret: account.password,
    })
    expect(readFileSync(join(home, '.docker/config.json'), 'utf8')).not.toContain('auth"')
    const env = { HOME: home, PATH }
    await within(registry.host, env, repository => repository.write(blob, once()))
    await slipwayOk(['logout', registry.host], options)
    await expect(within(registry.host, env, repository => repository.has(blob))).rejects.toMatchObject({ status: 401 })
  })

  test('the file of podman and skopeo, with a namespace', async () => {
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64')
    const file = join(root, 'auth.json')
    writeFileSync(
      file,
      JSON.stringify({ auths: { [`${registry.host}/team`]: { auth }, [registry.host]: { auth: 'eDp5' } } }),
    )
    await within(registry.host, { REGISTRY_AUTH_FILE: file }, repository => repository.write(blob, once()))
  })
})

describe.skipIf(!hasRegistry || !hasTool('openssl'))('TLS', () => {
  let registry: RunningRegistry
  let certificates: Certificates
  beforeAll(async () => {
    const directory = mkdtempSync(join(root, 'tls-'))
    certificates = makeCertificates(directory)
    makeCertificates(directory, 'client')
    registry = await startRegistry({ tls: { ...certificates, clientAuthority: certificates.authority } })
  })
  afterAll(() => registry?.[Symbol.asyncDispose]())

  test('own authority and client certificate in certs.d; without them an error that says so', async () => {
    const home = mkdtempSync(join(root, 'home-'))
    await expect(within(registry.host, { HOME: home }, each => each.has(blob))).rejects.toThrow(
      /certificate is not trusted/,
    )
    const directory = join(home, '.config/docker/certs.d', registry.host)
    mkdirSync(directory, { recursive: true })
    cpSync(certificates.authority, join(directory, 'ca.crt'))
    await expect(within(registry.host, { HOME: home }, each => each.has(blob))).rejects.toThrow(/cannot/)
    cpSync(certificates.certificate.replace('server', 'client'), join(directory, 'client.cert'))
    cpSync(certificates.key.replace('server', 'client'), join(directory, 'client.key'))
    await within(registry.host, { HOME: home }, each => each.write(blob, once()))
  })
})

describe.skipIf(!hasRegistry || !hasTool('openssl'))('token authentication', () => {
  let tokens: TokenServer
  let registry: RunningRegistry
  beforeAll(async () => {
    const directory = mkdtempSync(join(root, 'token-'))
    const certificates = makeCertificates(directory)
    tokens = await startTokenServer({
      ...certificates,
      accounts: [account],
      identityTokens: { 'refresh-me': account.username },
      anonymousPull: true,
    })
    const { authority } = certificates
    registry = await startRegistry({
      token: { realm: tokens.realm, service: 'the registry', issuer: tokens.issuer, certificates: authority },
    })
  })
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]()
    await tokens?.[Symbol.asyncDispose]()
  })

  test('a password gets a token for what is done, and one token serves for several requests', async () => {
    const before = tokens.requests.length
    await within(registry.host, password, async repository => {
      expect(await repository.has(blob)).toBe(false)
      await repository.write(blob, once())
      expect(await repository.has(blob)).toBe(true)
    })
    expect(tokens.requests.slice(before)).toEqual([
      { method: 'GET', scopes: ['repository:team/app:pull'], service: 'the registry', account: account.username },
      { method: 'GET', scopes: ['repository:team/app:pull,push'], service: 'the registry', account: account.username },
    ])
  })

  test('an identity token is exchanged by POST', async () => {
    const before = tokens.requests.length
    const credential: Credential = { kind: 'identity-token', token: 'refresh-me' }
    expect(await within(registry.host, credential, repository => repository.has(blob))).toBe(true)
    expect(tokens.requests.slice(before).map(({ method, account: who }) => [method, who])).toEqual([
      ['POST', account.username],
    ])
  })

  test('nobody in particular may read, and is told to log in for writing', async () => {
    expect(await within(registry.host, undefined, repository => repository.has(blob))).toBe(true)
    await expect(within(registry.host, undefined, repository => repository.write(blob, once()))).rejects.toMatchObject({
      message: expect.stringContaining(registry.host) as string,
      hint: expect.stringContaining('slipway login') as string,
    })
  })

  test('login shows the password to the token server', async () => {
    const home = mkdtempSync(join(root, 'home-'))
    const login = ['login', '-u', account.username, '--password-stdin', registry.host]
    const refused = await slipway(login, { root: home, input: 'wr0ng-secret' })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('its token server')
    expect(refused.stderr).not.toContain('wr0ng-secret')
    await slipwayOk(login, { root: home, input: account.password })
  })
})
