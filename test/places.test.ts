import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { docker, hasTool } from './host.ts'
import { testBaseName } from './oracle/test-base.ts'
import { type CountingProxy, startProxy } from './registry/counting-proxy.ts'
import { hasRegistry, type RunningRegistry, startRegistry } from './registry/debian-registry.ts'
import { importTestBase, slipway, slipwayOk } from './slipway.ts'

/** Made of parts, so that nobody takes this file for a leak. */
const token = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')

let home = ''
let registry: RunningRegistry | undefined
let proxy: CountingProxy | undefined
/** What each command says of the image in the store that built it. */
let known: Readonly<Record<string, unknown>> = {}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'slipway-places-'))
  await importTestBase(home)
  const context = join(home, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'a'), 'a'.repeat(5000))
  writeFileSync(join(context, 'b'), 'b'.repeat(300))
  writeFileSync(join(context, 'settings'), `token=${token}\n`)
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${testBaseName}\nCOPY a /opt/x\nCOPY settings /opt/settings\nCOPY b /opt/x\nENV A=1\n`,
  )
  const outputs = ['type=oci,tar=false,dest=layout', 'type=oci,dest=oci.tar', 'type=docker,dest=docker.tar']
  await slipwayOk(['build', '-q', '-t', 'app:1', ...outputs.flatMap(each => ['-o', each]), context], { root: home })
  execFileSync('gzip', ['-k', 'docker.tar'], { cwd: home })
  known = await answers('app:1', home)
  if (hasTool('skopeo')) {
    skopeo('oci:layout:1', 'docker-archive:skopeo.tar:app:1')
    if (hasRegistry) {
      registry = await startRegistry()
      skopeo('oci:layout:1', `docker://${registry.host}/app:1`, '--dest-tls-verify=false')
      proxy = await startProxy(registry.host)
    }
  }
  if (docker !== undefined) {
    execFileSync(docker, ['load', '-q', '-i', 'docker.tar'], { cwd: home, stdio: 'ignore' })
    execFileSync(docker, ['save', '-o', 'saved.tar', 'app:1'], { cwd: home })
    execFileSync(docker, ['rmi', '-f', 'app:1'], { stdio: 'ignore' })
  }
}, 60_000)
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

function skopeo(from: string, to: string, ...options: string[]): void {
  execFileSync('skopeo', ['copy', '-q', ...options, from, to], { cwd: home })
}

interface Said {
  readonly analysis: {
    readonly totals: Readonly<Record<'size' | 'visible' | 'files' | 'duplicates', number>>
    readonly layers: readonly Readonly<Record<'diffId' | 'size' | 'added' | 'changed' | 'hidden', unknown>>[]
    readonly directories: unknown
  }
  readonly needs: { readonly needs: unknown }
  readonly budget: { readonly now: Readonly<Record<'size' | 'visible' | 'files' | 'directories', unknown>> }
  readonly scan: { readonly findings: unknown; readonly files: number; readonly bytes: number }
}

/** Which image a name means. */
async function found(name: string, root: string): Promise<unknown> {
  const { stdout } = await slipwayOk(['inspect', name], { root, cwd: home })
  const [{ Id, RootFS }] = JSON.parse(stdout) as [{ readonly Id: string; readonly RootFS: unknown }]
  return [Id, RootFS]
}

/** What every command that reads an image says of it, but for what only the store that built it knows. */
async function answers(name: string, root: string): Promise<Readonly<Record<string, unknown>>> {
  const say = async (...args: readonly string[]): Promise<string> =>
    (await slipwayOk([...args], { root, cwd: home })).stdout
  const json = async <K extends keyof Said>(...args: readonly string[]): Promise<Said[K]> =>
    JSON.parse(await say(...args, '--format', 'json')) as Said[K]
  const { totals, layers, directories } = await json<'analysis'>('analyze', name)
  const { now } = await json<'budget'>('budget', name, '--max', 'size=1GB')
  const { findings, files, bytes } = await json<'scan'>('scan', '--fail-on', 'never', name)
  const { needs } = await json<'needs'>('needs', name, '/bin/busybox')
  const diff = await say('diff', '--exit-code', '--format', 'json', name, 'oci:layout:1')
  const { size, visible } = totals
  return {
    analysis: [size, visible, totals.files, totals.duplicates, directories],
    layers: layers.map(({ diffId, size: all, added, changed, hidden }) => [diffId, all, added, changed, hidden]),
    budget: [now.size, now.visible, now.files, now.directories],
    scan: [findings, files, bytes],
    needs,
    equal: (JSON.parse(diff) as { readonly equal: boolean }).equal,
    history: (await say('history', '--no-trunc', '-q', name)).split('\n').slice(0, 1),
    inspect: await found(name, root),
    files: await say('ls', '-R', '-l', name),
  }
}

const hasSkopeo = hasTool('skopeo')

type Notation = readonly [name: () => string, isThere: boolean]

/** How the image is written, and whether it could be put there; every command reads each of these. */
const places: readonly Notation[] = [
  [() => 'oci:layout:1', true],
  [() => 'oci-archive:oci.tar:1', true],
  [() => 'docker-archive:skopeo.tar', hasSkopeo],
  [() => 'docker-archive:saved.tar', docker !== undefined],
  [() => `docker://${registry?.host}/app:1`, hasRegistry && hasSkopeo],
]

/** Other ways to write the same, which go through the same door. */
const variants: readonly Notation[] = [
  [() => 'oci-layout:layout', true],
  [() => './layout', true],
  [() => 'layout', true],
  [() => 'oci.tar', true],
  [() => './oci.tar:1', true],
  [() => 'docker-archive:docker.tar:app:1', true],
  [() => 'docker-archive:docker.tar:1', true],
  [() => 'docker.tar.gz', true],
  [() => './skopeo.tar:app:1', hasSkopeo],
  [() => 'saved.tar', docker !== undefined],
  [() => `${registry?.host}/app:1`, hasRegistry && hasSkopeo],
]

describe('every command that reads an image reads it from everywhere, and says the same', () => {
  test.for(places.map(([name, isThere], i) => [i, name, isThere] as const))(
    'notation %i',
    { timeout: 60_000 },
    async ([, name, isThere], { skip }) => {
      skip(!isThere, 'needs skopeo, docker-registry or a Docker engine')
      // A store of its own, which knows none of the layers.
      const root = mkdtempSync(join(home, 'elsewhere-'))
      expect(await answers(name(), root), name()).toEqual(known)
      const { stdout } = await slipwayOk(['images', '--format', 'json'], { root })
      expect(stdout, 'names in the store').not.toMatch(/"Tag":"(?!<none>)/)
    },
  )

  test.for(variants.map(([name, isThere], i) => [i, name, isThere] as const))(
    'variant %i',
    { timeout: 60_000 },
    async ([, name, isThere], { skip }) => {
      skip(!isThere, 'needs skopeo, docker-registry or a Docker engine')
      const root = mkdtempSync(join(home, 'elsewhere-'))
      expect(await found(name(), root), name()).toEqual(known['inspect'])
    },
  )

  test('what is known is what was built', () => {
    const [size, visible] = known['analysis'] as number[]
    expect((size ?? 0) - (visible ?? 0)).toBe(5000)
    expect(known['equal']).toBe(true)
    expect((known['scan'] as [readonly { place: object }[]])[0]).toMatchObject([
      { rule: 'github-token', place: { kind: 'file', path: 'opt/settings', layer: 2, line: 1 } },
    ])
    expect(known['files']).toContain(' /opt/settings\n')
  })
})

describe.skipIf(!hasRegistry || !hasSkopeo)('of a registry only what is needed is downloaded', () => {
  const layers = (): readonly string[] =>
    (JSON.parse(readFileSync(join(home, 'layout/index.json'), 'utf8')) as { manifests: { digest: string }[] }).manifests
      .map(({ digest }) => readFileSync(join(home, 'layout/blobs/sha256', digest.slice(7)), 'utf8'))
      .flatMap(text => (JSON.parse(text) as { layers: { digest: string }[] }).layers.map(({ digest }) => digest))
  /** Of the layers those that a command downloads. */
  const downloaded = async (root: string, ...args: readonly string[]): Promise<number> => {
    const before = proxy?.requests.length ?? 0
    await slipwayOk(args, { root, cwd: home })
    const asked = proxy?.requests.slice(before) ?? []
    return layers().filter(digest => asked.some(line => line.startsWith('GET ') && line.endsWith(digest))).length
  }

  test('configurations without layers; layers once, those of the store never', async () => {
    const name = `docker://${proxy?.host}/app:1`
    const root = mkdtempSync(join(home, 'asked-'))
    expect(await downloaded(root, 'history', name)).toBe(0)
    expect(await downloaded(root, 'inspect', name)).toBe(0)
    expect(await downloaded(root, 'scan', '--fail-on', 'never', name), 'nothing is kept').toBe(4)
    expect(await downloaded(root, 'ls', name), 'nothing is kept').toBe(4)
    expect(await downloaded(root, 'analyze', name)).toBe(4)
    expect(await downloaded(root, 'diff', name, 'oci:layout')).toBe(0)
    expect(await downloaded(root, 'scan', '--fail-on', 'never', name)).toBe(0)
    const base = mkdtempSync(join(home, 'based-'))
    await importTestBase(base)
    expect(await downloaded(base, 'scan', '--fail-on', 'never', name), 'the base is here').toBe(3)
  })

  test('a name of the store keeps its meaning when its registry is looked at', async () => {
    const root = mkdtempSync(join(home, 'meaning-'))
    await importTestBase(root)
    const name = `${registry?.host}/app:1`
    await slipwayOk(['tag', testBaseName, name], { root })
    const { stdout } = await slipwayOk(['diff', '--format', 'json', name, `docker://${name}`], { root })
    expect(JSON.parse(stdout)).toMatchObject({ first: { layers: 1 }, second: { layers: 4 } })
    const meant = async (of: string): Promise<unknown> =>
      (JSON.parse((await slipwayOk(['inspect', of], { root })).stdout) as [{ Id: unknown }])[0].Id
    expect(await meant(name)).toBe(await meant(testBaseName))
  })
})

describe('stages of a Dockerfile are images, too', () => {
  const stages = (): string => {
    const context = join(home, 'stages')
    mkdirSync(context, { recursive: true })
    writeFileSync(join(context, 'tool'), '#!/bin/busybox sh\n', { mode: 0o755 })
    writeFileSync(
      join(context, 'Dockerfile'),
      `ARG TO=/opt/tool-one\nFROM ${testBaseName} AS build\nARG TO\nCOPY tool $TO\nFROM scratch AS last\nCOPY tool /tool\n`,
    )
    return context
  }

  test('needs of one in another', async () => {
    const args = ['needs', 'stage:build', '/opt/two', '--in', 'stage:last', '--context', stages()]
    const options = ['--build-arg', 'TO=/opt/two', '--from', 'build', '--format', 'json', '--no-run-time']
    const { stdout } = await slipwayOk([...args, ...options], { root: home })
    const { needs, copy } = JSON.parse(stdout) as { needs: { path: string; there: string }[]; copy: string[] }
    expect(needs.map(({ path, there }) => [path, there])).toEqual([
      ['opt/two', 'missing'],
      ['bin/busybox', 'missing'],
    ])
    expect(copy).toEqual(['COPY --from=build /opt/two /opt/', 'COPY --from=build /bin/busybox /bin/'])
  })

  test('COPY lines name the stage without being told', async () => {
    const { stdout } = await slipwayOk(['needs', 'stage:build', '/bin/busybox', '--context', stages()], { root: home })
    expect(stdout).toContain('COPY --from=build /bin/busybox /bin/')
  })

  test('diff of two, of a Dockerfile elsewhere', async () => {
    const file = join(stages(), 'Dockerfile')
    const args = ['diff', '--format', 'json', 'stage:last', 'stage:build', '-f', file, '--context', stages()]
    const { stdout } = await slipwayOk(args, { root: home })
    const { files } = JSON.parse(stdout) as { files: { path: string; change: string }[] }
    expect(files).toContainEqual(expect.objectContaining({ path: 'opt/tool-one', change: 'added' }))
    expect(files).toContainEqual(expect.objectContaining({ path: 'tool', change: 'removed' }))
  })

  test('options to build with are refused where nothing is built, and stages that are none', async () => {
    const without = await slipway(['analyze', 'app:1', '--context', stages()], { root: home })
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('write stage:NAME')])
    for (const option of ['--file=x', '--context=.', '--build-arg=A=b', '--platform=linux/amd64']) {
      const files = await slipway(['scan', stages(), option], { root: home })
      expect([files.code, files.stderr], option).toEqual([2, expect.stringContaining(option.split('=')[0] ?? '')])
    }
    const wrong = await slipway(['scan', 'stage:lost', '--context', stages()], { root: home })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/lost.*\n.*did you mean last/)])
  })
})
