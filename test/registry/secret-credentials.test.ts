import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, hasTool } from '../host.ts'
import { testBaseName } from '../oracle/test-base.ts'
import { type Ended, importTestBase, slipway } from '../slipway.ts'
import { hasRegistry, makeCertificates, type RunningRegistry, startRegistry } from './debian-registry.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-credentials-'))
const account = { username: 'mia', password: 'Zq7+hostile/pass%word' }
const identity = 'refresh-token-that-nobody-sees'

describe.skipIf(!hasRegistry || !hasTool('htpasswd') || !hasTool('openssl'))('credentials', () => {
  let basic: RunningRegistry
  let withToken: RunningRegistry
  let tokens: TokenServer
  let runs: boolean

  beforeAll(async () => {
    basic = await startRegistry({ accounts: [account] })
    const certificates = makeCertificates(root)
    tokens = await startTokenServer({
      ...certificates,
      accounts: [account],
      identityTokens: { [identity]: account.username },
    })
    withToken = await startRegistry({
      token: { realm: tokens.realm, service: 's', issuer: tokens.issuer, certificates: certificates.authority },
    })
    ;({ runs } = await importTestBase(root))
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64')
    const auths = { [basic.host]: { auth }, [withToken.host]: { identitytoken: identity, auth: 'bWlhOg==' } }
    mkdirSync(join(root, '.docker'))
    writeFileSync(join(root, '.docker/config.json'), JSON.stringify({ auths }))
  })
  afterAll(async () => {
    await basic?.[Symbol.asyncDispose]()
    await withToken?.[Symbol.asyncDispose]()
    await tokens?.[Symbol.asyncDispose]()
    rmSync(root, { recursive: true, force: true })
  })

  test('are in nothing that is stored, written, pushed or said', async () => {
    const said: string[] = []
    const run = async (args: readonly string[], input = ''): Promise<Ended> => {
      const ended = await slipway(args, { root, input })
      said.push(ended.stdout, ended.stderr)
      return ended
    }
    const ok = async (...args: string[]): Promise<void> => {
      const ended = await run(args)
      expect(ended.code, `${args.join(' ')}\n${ended.stderr}`).toBe(0)
    }
    const fails = async (message: RegExp, ...args: string[]): Promise<void> => {
      const ended = await run(args, `${account.password}\n`)
      expect(ended.code).not.toBe(0)
      expect(ended.stderr).toMatch(message)
    }
    for (const [i, host] of [basic.host, withToken.host].entries()) {
      const context = join(root, `context-${i}`)
      mkdirSync(context)
      const command = runs && canSandbox ? 'RUN env > /env; cat /proc/self/mountinfo > /mounts' : 'LABEL a=b'
      writeFileSync(join(context, 'Dockerfile'), `FROM ${host}/base:1\n${command}\nCOPY Dockerfile /\n`)
      await ok('tag', testBaseName, `${host}/base:1`)
      await ok('push', `${host}/base:1`)
      await ok('rmi', `${host}/base:1`)
      const caches = [`type=registry,ref=${host}/cache,mode=max`, `type=local,dest=${join(root, `cache-${i}`)}`]
      const written = [...caches, 'type=inline'].flatMap(each => ['--cache-to', each])
      const metadata = ['--metadata-file', join(root, `metadata-${i}.json`)]
      const archive = ['-o', `type=oci,dest=${join(root, `archive-${i}.tar`)}`]
      const build = ['build', '--progress', i === 0 ? 'plain' : 'json', ...metadata, '-t', `${host}/app:1`]
      await ok(...build, '--push', ...archive, ...written, '--cache-from', `${host}/cache`, context)
      await ok('inspect', `docker://${host}/app:1`)
      await ok('history', `docker://${host}/app:1`)
      await ok('copy', `docker://${host}/app:1`, `docker://${host}/copy:1`)
      writeFileSync(join(context, 'Dockerfile'), `FROM ${host}/base:none\n`)
      await fails(/no tag \W*none/, 'build', '--progress', i === 0 ? 'json' : 'plain', context)
      await fails(/401/, 'login', '-u', 'somebody', '--password-stdin', host)
    }
    await fails(/refused/, 'pull', '127.0.0.1:1/base')
    await ok('doctor')
    const forms = [
      account.password,
      encodeURIComponent(account.password),
      Buffer.from(account.password).toString('base64'),
      Buffer.from(`${account.username}:${account.password}`).toString('base64'),
      identity,
      ...tokens.issued,
    ]
    expect(tokens.issued.length).toBeGreaterThan(1)
    const secret = (bytes: Buffer): boolean => forms.some(form => bytes.includes(form))
    // The search finds what is there.
    expect(filesWith(join(root, '.docker'), secret)).toEqual([join(root, '.docker/config.json')])
    rmSync(join(root, '.docker'), { recursive: true })
    expect(said.filter(text => secret(Buffer.from(text)))).toEqual([])
    for (const place of [root, basic.data, withToken.data]) expect(filesWith(place, secret)).toEqual([])
  }, 120_000)
})

/** Files below a directory whose bytes, as they are or decompressed, have a property. */
function filesWith(directory: string, property: (bytes: Buffer) => boolean): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).flatMap(entry => {
    if (!entry.isFile()) return []
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
    return property(bytes) || (packed && property(gunzipSync(bytes))) ? [path] : []
  })
}
