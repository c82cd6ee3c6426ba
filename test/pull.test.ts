import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '#oci'
import { hasTool } from './host.ts'
import { testBaseName } from './oracle/test-base.ts'
import { type CountingProxy, startProxy } from './registry/counting-proxy.ts'
import { hasRegistry, type RunningRegistry, startRegistry } from './registry/debian-registry.ts'
import { importTestBase, leftovers, slipway, slipwayOk, startSlipway } from './slipway.ts'

const isRoot = process.getuid?.() === 0
const hasEngine = (() => {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/**
 * An image of four layers in a registry, made and pushed by skopeo from our layout; every test pulls into a store of its own.
 */
describe.skipIf(!hasRegistry || !hasTool('skopeo'))('images of registries', () => {
  let home: string
  let root: string
  let layout: string
  let runs: boolean
  let registry: RunningRegistry
  let proxy: CountingProxy
  /** What `slipway export` gives of the image where it was made. */
  let files: string

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'slipway-pull-'))
    registry = await startRegistry()
    ;({ runs } = await importTestBase(home))
    const context = join(home, 'context')
    await mkdir(context)
    for (const name of ['a', 'b', 'c']) await writeFile(join(context, name), noise(name, 600_000))
    await writeFile(join(context, 'Dockerfile'), `FROM ${testBaseName}\nCOPY a /a\nCOPY b /b\nCOPY c /opt/tool/c\n`)
    layout = join(home, 'layout')
    await slipwayOk(['build', '-q', '-t', 'app:1', '-o', `type=oci,tar=false,dest=${layout}`, context], { root: home })
    files = await exported('app:1', home)
    copy(`oci:${layout}:1`, 'app:1')
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-pull-'))
    proxy = await startProxy(registry.host)
  })
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]()
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
    await rm(root, { recursive: true, force: true })
  })

  // The proxy lives in this process: tools that are waited for go to the registry itself.
  const copy = (from: string, to: string, ...options: string[]): void => {
    execFileSync('skopeo', [
      'copy',
      '-q',
      '--dest-tls-verify=false',
      ...options,
      from,
      `docker://${registry.host}/${to}`,
    ])
  }
  const exported = async (name: string, where = root): Promise<string> => {
    const path = join(where, 'files.tar')
    await slipwayOk(['export', name, '-o', path], { root: where })
    return digestOf(await readFile(path))
  }
  const context = async (...lines: string[]): Promise<string> => {
    const directory = join(root, 'build')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'Dockerfile'), `${lines.join('\n')}\n`)
    return directory
  }
  /** Requests for blobs, without those of the configuration. */
  const downloads = async (): Promise<string[]> => {
    const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }
    const blob = index.manifests[0]?.digest.replace('sha256:', '') ?? ''
    const manifest = JSON.parse(await readFile(join(layout, 'blobs/sha256', blob), 'utf8')) as {
      config: { digest: string }
    }
    return proxy.requests.filter(line => /^GET .*\/blobs\//.test(line) && !line.endsWith(manifest.config.digest))
  }

  test('only a step that reads files downloads layers, and all of them once', async () => {
    const base = `${proxy.host}/app:1`
    await slipwayOk(['build', '-q', '-t', 'env', await context(`FROM ${base}`, 'ENV A=b', 'LABEL c=d')], { root })
    await slipwayOk(['build', '-q', await context(`FROM ${base}`, 'ENV A=b', 'USER app')], { root })
    expect(await downloads()).toEqual([])
    expect(proxy.requests.filter(line => line.includes('/manifests/'))).toHaveLength(1)
    await slipwayOk(['build', '-q', '-t', 'copied', await context(`FROM ${base}`, 'COPY Dockerfile /x/')], { root })
    expect(await downloads()).toHaveLength(4)
    expect(new Set(await downloads()).size).toBe(4)
    expect(await exported(base)).toBe(files)
  })

  test('what is built on it goes to another repository of the registry without a download', async () => {
    const target = `${proxy.host}/other/env:1`
    const lines = [`FROM ${proxy.host}/app:1`, 'ENV A=b']
    await slipwayOk(['build', '-q', '-t', target, '--push', await context(...lines)], { root })
    expect(await downloads()).toEqual([])
    expect(proxy.requests.filter(line => /^POST .*mount=/.test(line))).toHaveLength(4)
    const seen = JSON.parse(
      execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${registry.host}/other/env:1`]).toString(),
    ) as { Env: string[]; Layers: string[] }
    expect(seen.Env).toContain('A=b')
    expect(seen.Layers).toHaveLength(4)
  })

  test.skipIf(!isRoot)('COPY --from and RUN see the files', async context_ => {
    context_.skip(!runs, 'nothing can be run here')
    const base = `${proxy.host}/app:1`
    const lines = [
      'FROM scratch AS none',
      `FROM ${base}`,
      `COPY --from=${base} /b /copied`,
      'RUN cmp /b /copied && cat /opt/tool/c > /d',
    ]
    await slipwayOk(['build', '-q', '-t', 'ran', await context(...lines)], { root })
    const { stdout } = await slipwayOk(['run', 'ran', 'sh', '-c', 'cmp /d /opt/tool/c && echo same'], { root })
    expect(stdout).toBe('same\n')
  })

  test('layers compressed with zstd, and a digest without the registry', async () => {
    copy(`oci:${layout}:1`, 'zstd:1', '--dest-compress-format', 'zstd')
    const name = `${proxy.host}/zstd`
    await slipwayOk(['pull', '-q', `${name}:1`], { root })
    expect(await exported(`${name}:1`)).toBe(files)
    const [inspected] = JSON.parse((await slipwayOk(['inspect', `${name}:1`], { root })).stdout) as [
      { RepoDigests: string[] },
    ]
    const [digest = ''] = inspected.RepoDigests
    const asked = execFileSync('skopeo', [
      'inspect',
      '--tls-verify=false',
      '--format',
      '{{.Digest}}',
      `docker://${registry.host}/zstd:1`,
    ])
    expect(digest).toBe(`${name}@${asked.toString().trim()}`)
    proxy.fault = () => 'refuse'
    await slipwayOk(['build', '-q', await context(`FROM ${digest}`, 'COPY Dockerfile /')], { root })
    await slipwayOk(['build', '-q', await context(`FROM ${name}:1`, 'COPY Dockerfile /y')], { root })
    const pulled = await slipway(['build', '--pull', await context(`FROM ${name}:1`)], { root })
    expect(pulled.stderr).toMatch(/cannot be pulled.*(reset|broke|refused)/)
    expect(pulled.stderr).toContain('Dockerfile:1:6')
  })

  test('an index gives each platform its image', async () => {
    const lines = [
      'FROM scratch',
      'ARG TARGETARCH',
      'ARG TARGETVARIANT',
      'LABEL is=$TARGETARCH$TARGETVARIANT',
      'COPY Dockerfile /',
    ]
    const index = join(root, 'index')
    const platforms = 'linux/amd64,linux/arm64,linux/arm/v6,linux/arm/v7'
    await slipwayOk(
      [
        'build',
        '-q',
        '--platform',
        platforms,
        '-o',
        `type=oci,tar=false,dest=${index}`,
        '-t',
        'many:1',
        await context(...lines),
      ],
      { root },
    )
    copy(`oci:${index}:1`, 'many:1', '--all')
    const name = `${proxy.host}/many:1`
    const label = async (platform: string, base = name): Promise<unknown> => {
      const build = ['build', '--print-plan', '--platform', platform, await context(`FROM ${base}`)]
      const plan = JSON.parse((await slipwayOk(build, { root })).stdout) as {
        stages: [{ config: { Labels: { is: string } } }]
      }
      return plan.stages[0].config.Labels.is
    }
    expect(await label('linux/arm64')).toBe('arm64')
    expect(await label('linux/amd64')).toBe('amd64')
    expect(await label('linux/arm/v7')).toBe('armv7')
    expect(await label('linux/arm/v6')).toBe('armv6')
    const failed = await slipway(['pull', '--platform', 'linux/s390x', name], { root })
    expect(failed.stderr).toMatch(/no image for linux\/s390x[\s\S]*linux\/arm64/)
    expect(await downloads()).toHaveLength(4)
  })

  test.skipIf(!hasEngine || !isRoot)('what a Docker engine pushed', async () => {
    const name = `${registry.host}/engine:1`
    const archive = join(root, 'app.tar')
    // A name of its own in the engine, which other tests load images into, too.
    const loaded = 'pulled-from-engine:1'
    await slipwayOk(['tag', 'app:1', loaded], { root: home })
    await slipwayOk(['save', '-o', archive, loaded], { root: home })
    await slipwayOk(['rmi', loaded], { root: home })
    const docker = (...args: string[]): string => execFileSync('docker', args, { cwd: root }).toString()
    docker('load', '-q', '-i', archive)
    docker('tag', loaded, name)
    try {
      docker('push', '-q', name)
      await slipwayOk(['pull', '-q', name], { root })
      expect(await exported(name)).toBe(files)
      const [inspected] = JSON.parse((await slipwayOk(['inspect', name], { root })).stdout) as [{ Id: string }]
      expect(inspected.Id).toBe(docker('inspect', '--format', '{{.Id}}', name).trim())
    } finally {
      docker('rmi', name, loaded)
    }
  })

  test('killed at 20 moments, a pull goes on with what was complete', async () => {
    proxy.delay = 4
    const complete = new Set<string>()
    // What is left of three layers of 600,000 bytes in pieces of at most 64 KiB.
    const pieces = 24
    let interrupted = 0
    for (let i = 0; i < 20; i++) {
      const [before, moment] = [proxy.requests.length, proxy.pieces + Math.floor(Math.random() * pieces)]
      const { child, ended } = startSlipway(['pull', '-q', `${proxy.host}/app:1`], { root })
      let over = false
      void ended.then(() => (over = true))
      while (!over && (proxy.requests.length === before || proxy.pieces < moment)) await sleep(2)
      await sleep(Math.random() * 10)
      if (child.pid !== undefined && !over) process.kill(-child.pid, 'SIGKILL')
      if ((await ended).signal === 'SIGKILL') interrupted++
      const asked = proxy.requests.slice(before).filter(line => line.includes('/blobs/'))
      // A layer that the store had is never asked for again.
      expect(asked.filter(line => complete.has(line))).toEqual([])
      for (const layer of await layersHere(asked)) complete.add(layer)
      if (complete.size < 4) continue
      // Everything is here: nothing would be left to interrupt.
      await rm(join(root, 'state'), { recursive: true })
      complete.clear()
    }
    expect(interrupted).toBeGreaterThan(10)
    proxy.delay = 0
    await slipwayOk(['pull', '-q', `${proxy.host}/app:1`], { root })
    expect(await exported(`${proxy.host}/app:1`)).toBe(files)
    const before = (await downloads()).length
    await slipwayOk(['pull', '-q', `${proxy.host}/app:1`], { root })
    expect(await downloads()).toHaveLength(before)
  })

  /** Of some requests those for layers whose row says that their archive is here. */
  const layersHere = async (requests: readonly string[]): Promise<string[]> => {
    const { DatabaseSync } = await import('node:sqlite')
    const path = join(root, 'state/slipway.db')
    if (!existsSync(path)) return []
    using database = new DatabaseSync(path)
    const rows = database
      .prepare(
        'SELECT places.digest AS digest FROM places JOIN layers ON layers.diff_id = places.diff_id WHERE layers.tar = 1',
      )
      .all()
    return requests.filter(line => rows.some(row => line.endsWith(String(row['digest']))))
  }

  test('two processes download each layer once', async () => {
    proxy.delay = 2
    const pull = ['pull', '-q', `${proxy.host}/app:1`]
    await Promise.all([slipwayOk(pull, { root }), slipwayOk(pull, { root })])
    expect(await downloads()).toHaveLength(4)
    expect(await exported(`${proxy.host}/app:1`)).toBe(files)
  })

  test('a broken connection is taken up again, damage is refused', async () => {
    const name = `${proxy.host}/app:1`
    const broken = new Set<string>()
    const once = (path: string): boolean => path.includes('/blobs/') && !broken.has(path) && broken.add(path).size > 0
    proxy.fault = (method, path) => (method === 'GET' && once(path) ? 'break off' : 'none')
    await slipwayOk(['pull', '-q', name], { root })
    expect(await exported(name)).toBe(files)

    const other = join(root, 'other')
    await mkdir(other)
    proxy.fault = (method, path) => (method === 'GET' && path.includes('/blobs/') ? 'flip a byte' : 'none')
    const damaged = await slipway(['pull', name], { root: other })
    expect(damaged.code).toBe(1)
    expect(damaged.stderr).toMatch(/digest sha256:[0-9a-f]{64}/)
    proxy.fault = () => 'none'
    await slipwayOk(['pull', '-q', name], { root: other })
    expect(await exported(name, other)).toBe(files)
  })

  test('what cannot be had is told with registry, repository, status and place', async () => {
    const missing = await slipway(['build', await context('FROM scratch AS builder', `FROM ${proxy.host}/nothing:2`)], {
      root,
    })
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain(`${proxy.host} has no tag "2" of nothing`)
    expect(missing.stderr).toContain('Dockerfile:2:6')
    const typo = await slipway(
      ['build', await context('FROM scratch AS builder', 'FROM scratch', `COPY --from=biulder / /`)],
      {
        root,
        env: { https_proxy: `http://${proxy.host}` },
      },
    )
    expect(typo.stderr).toContain('did you mean the stage builder?')
  })
})

/** The same bytes for a name, which do not compress. */
function noise(seed: string, size: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < size; i++) parts.push(Buffer.from(digestOf(`${seed} ${i}`).slice('sha256:'.length), 'hex'))
  return Buffer.concat(parts)
}
