import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { createCleartextMessage, generateKey, readPrivateKey, sign } from 'openpgp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { openHttp } from '#http'
import { createReporter } from './compose-options.ts'
import { fetchPackages } from './fetch-packages.ts'
import { createMirrorReader } from './mirror-reader.ts'
import { openPackageCache } from './package-cache.ts'
import { readBaseFile } from './read-base-file.ts'
import { resolveBase, type ResolvedBase } from './resolve-base.ts'
import { selectRepositories } from './select-repositories.ts'

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

interface Mirror {
  readonly directory: string
  /** Text of a base file for it. */
  readonly base: string
}

interface MirrorChanges {
  /** Replaces text of the Release file before it is signed. */
  readonly release?: (text: string) => string
  /** Replaces text of the InRelease file after it was signed. */
  readonly inRelease?: (text: string) => string
  readonly packages?: (text: string) => string
  readonly pool?: (bytes: Buffer) => Buffer
}

let directory = ''
let keys: { readonly privateKey: string; readonly publicKey: string }[] = []
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-mirror-'))
  const make = async (name: string): Promise<{ privateKey: string; publicKey: string }> => {
    const { privateKey, publicKey } = await generateKey({ userIDs: { name }, format: 'armored' })
    return { privateKey, publicKey }
  }
  keys = [await make('archive'), await make('somebody')]
  writeFileSync(join(directory, 'archive.asc'), keys[0]!.publicKey)
  writeFileSync(join(directory, 'somebody.asc'), keys[1]!.publicKey)
})
afterAll(() => rmSync(directory, { recursive: true }))

const stanza = (name: string, content: Buffer, more = ''): string =>
  `Package: ${name}\nVersion: 1\nArchitecture: amd64\n${more}Filename: pool/${name}_1:1.deb\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`

async function makeMirror(changes: MirrorChanges = {}): Promise<Mirror> {
  const root = mkdtempSync(join(directory, 'mirror-'))
  const contents = new Map(['base', 'apt', 'extra'].map(name => [name, Buffer.from(`content of ${name}`)] as const))
  const text = [
    stanza('base', contents.get('base')!, 'Essential: yes\n'),
    stanza('apt', contents.get('apt')!, 'Depends: extra\n'),
    stanza('extra', contents.get('extra')!),
  ].join('\n')
  const index = Buffer.from((changes.packages ?? (t => t))(text))
  const packed = gzipSync(index)
  const files: Record<string, Buffer> = {
    'main/binary-amd64/Packages': index,
    'main/binary-amd64/Packages.gz': packed,
  }
  const release = [
    'Origin: Test\nSuite: testing\nCodename: box',
    'Date: Sat, 11 Jul 2026 10:16:37 UTC\nAcquire-By-Hash: yes\nArchitectures: amd64\nComponents: main\nSHA256:',
    ...Object.entries(files).map(([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}`),
    '',
  ].join('\n')
  const signed = await sign({
    message: await createCleartextMessage({ text: (changes.release ?? (t => t))(release) }),
    signingKeys: await readPrivateKey({ armoredKey: keys[0]!.privateKey }),
  })
  const write = (path: string, bytes: Buffer | string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes)
  }
  write('dists/box/InRelease', (changes.inRelease ?? (t => t))(signed))
  write('dists/box/main/binary-amd64/Packages.gz', packed)
  for (const [name, bytes] of contents) write(`pool/${name}_1:1.deb`, (changes.pool ?? (b => b))(bytes))
  return { directory: root, base: `suite: box\nmirror: ${pathToFileURL(root).href}\nkeyring: archive.asc\n` }
}

async function resolve(base: string): Promise<{ resolved: ResolvedBase; paths: ReadonlyMap<string, string> }> {
  const spec = readBaseFile({ name: 'base.yaml', text: base })
  const host = { sources: [], keyrings: [], checkValidUntil: true, distribution: undefined, codename: undefined }
  const repositories = selectRepositories(spec, { directory, mirror: undefined, host, architecture: 'amd64' })
  await using http = openHttp({ env: {} })
  const cache = await openPackageCache(mkdtempSync(join(directory, 'cache-')))
  const reporter = createReporter({})
  const mirror = createMirrorReader(http, undefined)
  const context = { repositories, architecture: 'amd64', distribution: undefined, mirror, cache, reporter }
  const resolved = await resolveBase(spec, context)
  const paths = await fetchPackages(resolved.packages, { http, cache, reporter, signal: undefined })
  expect(readdirSync(join(cache.directory, '../partial'))).toEqual([])
  return { resolved, paths }
}

async function failure(base: string): Promise<UserError> {
  const error = await resolve(base).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  return error as UserError
}

describe('a mirror', () => {
  test('is verified, solved and fetched', async () => {
    const { resolved, paths } = await resolve((await makeMirror()).base)
    expect(resolved.packages.map(item => [item.record.name, item.automatic])).toEqual([
      ['base', false],
      ['apt', false],
      ['extra', true],
    ])
    expect([...resolved.core]).toEqual(['base'])
    expect([...paths.keys()].sort()).toEqual(['apt', 'base', 'extra'])
  })

  test.each<[string, MirrorChanges, RegExp]>([
    [
      'a changed InRelease',
      { inRelease: text => text.replace('Origin: Test', 'Origin: Evil') },
      /signature of .* is not valid/,
    ],
    ['an InRelease that is none', { inRelease: () => '<html>Please log in</html>' }, /is not a signed InRelease/],
    [
      'an expired suite',
      { release: text => text.replace('SHA256:', 'Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC\nSHA256:') },
      /expired on 2026-07-18/,
    ],
    [
      'another suite',
      { release: text => text.replace('Codename: box', 'Codename: other') },
      /gives testing or other where box/,
    ],
    [
      'a changed index',
      {
        release: text =>
          text.replace(
            / [0-9a-f]{64} (\d+) main\/binary-amd64\/Packages/g,
            ` ${'0'.repeat(64)} $1 main/binary-amd64/Packages`,
          ),
      },
      /not what InRelease announces/,
    ],
    ['a changed package', { pool: bytes => Buffer.from(bytes.map(byte => byte ^ 1)) }, /its SHA-256 is another one/],
    ['a shortened package', { pool: bytes => bytes.subarray(1) }, /it has fewer bytes/],
    ['a longer package', { pool: bytes => Buffer.concat([bytes, bytes]) }, /it has more bytes/],
    [
      'a hostile name',
      {
        packages: text =>
          text.replace('Package: extra', 'Package: ../extra').replace('Depends: extra', 'Depends: ../extra'),
      },
      /entry of "\.\.\/extra" .* malformed/,
    ],
    ['no checksum', { packages: text => text.replace(/SHA256: \S+\n$/, '') }, /entry of "extra" .* malformed/],
    ['no essential packages', { packages: text => text.replace('Essential: yes\n', '') }, /has no essential packages/],
  ])('with %s is refused', async (_name, changes, message) => {
    expect((await failure((await makeMirror(changes)).base)).message).toMatch(message)
  })

  test('signed by somebody else is refused', async () => {
    const { base } = await makeMirror()
    expect((await failure(base.replace('archive.asc', 'somebody.asc'))).message).toMatch(/signature of .* is not valid/)
    expect((await failure(base.replace('keyring: archive.asc\n', ''))).message).toMatch(/no keyring/)
    expect((await failure(base.replace('archive.asc', 'missing.asc'))).message).toMatch(/cannot read the keyring/)
  })

  test('that is trusted in writing is not verified', async () => {
    const { directory: root } = await makeMirror({ inRelease: text => text.replace('Origin: Test', 'Origin: Evil') })
    const base = `suite: box\nrepositories:\n  - uri: ${pathToFileURL(root).href}\n    suites: box\n    trusted: true\n`
    expect((await resolve(base)).resolved.suites[0]?.release.origin).toBe('Evil')
  })

  test('without the suite or the component is refused', async () => {
    const { base } = await makeMirror()
    expect((await failure(base.replace('suite: box', 'suite: bax'))).message).toMatch(/has no suite bax/)
    expect((await failure(`${base}components: [main, contrib]\n`)).message).toMatch(/has no contrib for amd64/)
  })

  test('that lacks a package it lists is refused', async () => {
    const { base, directory: root } = await makeMirror()
    rmSync(join(root, 'pool/extra_1:1.deb'))
    expect((await failure(base)).message).toMatch(/extra_1.*does not exist although the index lists it/)
  })
})
