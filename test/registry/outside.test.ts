import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { leftovers, slipway, slipwayOk, startSlipway } from '../slipway.ts'
import { freePort } from './debian-registry.ts'
import { end, type FaultyRegistry, startFaultyRegistry } from './faulty-registry.ts'
import { type ForeignProxy, startForeignProxy } from './foreign-proxy.ts'

/** Without a base: whatever is in an image here was copied. */
const root = mkdtempSync(join(tmpdir(), 'slipway-outside-'))
const context = join(root, 'context')
const options = { root }
let registry: FaultyRegistry

beforeAll(() => {
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY one /\nCOPY two /\nLABEL a=b\n')
  writeFileSync(join(context, 'one'), Buffer.from(Array.from({ length: 900_000 }, () => Math.random() * 256)))
  writeFileSync(join(context, 'two'), 'two')
})
afterAll(() => {
  expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
  rmSync(root, { recursive: true, force: true })
})
beforeEach(async () => {
  registry = await startFaultyRegistry()
})
afterEach(() => registry[Symbol.asyncDispose]())

interface Manifest {
  readonly mediaType: string
  readonly config: { readonly mediaType: string; readonly digest: string }
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[]
}
const manifestOf = (tag: string): Manifest =>
  JSON.parse(registry.manifests.get(tag)?.bytes.toString() ?? '') as Manifest
const freshRoot = (): string => mkdtempSync(join(root, 'machine-'))

describe('a registry of another machine without TLS', () => {
  const name = 'registry.example:5000/team/app:1'
  let proxy: ForeignProxy
  let through: { readonly http_proxy: string; readonly https_proxy: string }
  beforeEach(async () => {
    proxy = await startForeignProxy(registry.host)
    through = { http_proxy: proxy.url, https_proxy: proxy.url }
  })
  afterEach(() => proxy[Symbol.asyncDispose]())

  test('is never spoken to in the clear unless the user says so', async () => {
    const failed = await slipway(['build', '-q', '--push', '-t', name, context], { root, env: through })
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('registry.example:5000')
    expect(failed.stderr).toContain('--insecure-registry registry.example:5000')
    expect(registry.seen).toEqual([])
    const flag = ['--insecure-registry', 'registry.example:5000']
    await slipwayOk(['build', '-q', '--push', ...flag, '-t', name, context], { root, env: through })
    expect(registry.manifests.get('1')).toBeDefined()
    const other = await slipway(['pull', '-q', '--insecure-registry', 'other.example:5000', name], {
      root,
      env: through,
    })
    expect(other.code).toBe(1)
  })

  test('the environment and the file say the same', async () => {
    const flag = ['--insecure-registry', 'registry.example:5000']
    await slipwayOk(['build', '-q', '--push', ...flag, '-t', name, context], { root, env: through })
    const environment = { ...through, SLIPWAY_INSECURE_REGISTRIES: 'a.example, registry.example:5000' }
    await slipwayOk(['pull', '-q', name], { root: freshRoot(), env: environment })
    const home = freshRoot()
    const file = join(home, '.config/slipway/registries.json')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify({ insecure: ['registry.example:5000'] }))
    await slipwayOk(['pull', '-q', name], { root: home, env: through })
    const doctor = await slipwayOk(['doctor', '--format', 'json'], { root: home })
    expect(doctor.stdout).toContain(file)
  })

  test.each([
    ['{', /registries\.json is not JSON/],
    ['{"mirror": {}}', /knows no key "mirror"/],
    ['{"insecure": ["http://x"]}', /"http:\/\/x" is not the host of a registry/],
    ['{"mirrors": {"docker.io": "x"}}', /"mirrors" does not map/],
  ])('a file with %s is an error', async (text, message) => {
    const home = freshRoot()
    mkdirSync(join(home, '.config/slipway'), { recursive: true })
    writeFileSync(join(home, '.config/slipway/registries.json'), text)
    const { code, stderr } = await slipway(['tags', 'registry.example/x'], { root: home, env: through })
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
    expect(proxy.asked).toEqual([])
  })

  test('mirrors of the environment and of the file', async () => {
    const here = `${registry.host}/team/app:1`
    await slipwayOk(['build', '-q', '--push', '-t', here, context], options)
    const wanted = 'hub.example/app:1'
    const env = { SLIPWAY_REGISTRY_MIRRORS: `hub.example=${registry.host}/team` }
    await slipwayOk(['pull', '-q', wanted], { root: freshRoot(), env })
    const home = freshRoot()
    mkdirSync(join(home, '.config/slipway'), { recursive: true })
    const file = { mirrors: { 'hub.example': [`${registry.host}/team`] } }
    writeFileSync(join(home, '.config/slipway/registries.json'), JSON.stringify(file))
    await slipwayOk(['pull', '-q', wanted], { root: home })
  })
})

describe('Ctrl-C', () => {
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(10)
  }

  test('during a push: 130, and no tag', async () => {
    const reference = `${registry.host}/team/app:1`
    await slipwayOk(['build', '-q', '-t', reference, context], options)
    let patches = 0
    registry.fault = request => {
      // The upload is never answered.
      if (request.method !== 'PATCH') return false
      patches++
      request.resume()
      return true
    }
    const { child, ended } = startSlipway(['push', reference], options)
    await until(() => patches > 0)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code, stderr).toBe(130)
    expect(stderr).not.toMatch(/internal error|^\s+at /m)
    expect(registry.manifests.size).toBe(0)
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
    registry.fault = () => false
    await slipwayOk(['push', reference], options)
  })

  test('during a pull: 130, nothing half is kept, and the next one goes on', async () => {
    const reference = `${registry.host}/team/app:1`
    await slipwayOk(['build', '-q', '--push', '-t', reference, context], options)
    const home = freshRoot()
    let asked = 0
    registry.fault = (request, response) => {
      const bytes = registry.blobs.get(/sha256:[0-9a-f]+$/.exec(request.url ?? '')?.[0] ?? '')
      if (request.method !== 'GET' || bytes === undefined || bytes.length < 500_000) return false
      // The beginning, and then nothing more.
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 200_000))
      asked++
      return true
    }
    const { child, ended } = startSlipway(['pull', reference], { root: home })
    await until(() => asked > 0)
    await sleep(100)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code, stderr).toBe(130)
    expect(leftovers(home)).toEqual({ mounts: [], processes: [], temporaries: [] })
    registry.fault = () => false
    await slipwayOk(['pull', '-q', reference], { root: home })
    await slipwayOk(['export', reference, '-o', join(home, 'files.tar')], { root: home })
    expect(existsSync(join(home, 'files.tar'))).toBe(true)
  })
})

test('oci-mediatypes=false publishes in the format of Docker, and that is pulled', async () => {
  const name = `${registry.host}/team/app:docker`
  await slipwayOk(['build', '-q', '-t', name, '-o', 'type=image,push=true,oci-mediatypes=false', context], options)
  const manifest = manifestOf('docker')
  expect(manifest.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
  expect(registry.manifests.get('docker')?.type).toBe(manifest.mediaType)
  expect(manifest.config.mediaType).toBe('application/vnd.docker.container.image.v1+json')
  expect(manifest.layers.map(layer => layer.mediaType)).toEqual([
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
  ])
  await slipwayOk(['build', '-q', '-t', `${registry.host}/team/app:oci`, '--push', context], options)
  expect(manifestOf('oci').config.digest).toBe(manifest.config.digest)
  await slipwayOk(['pull', '-q', name], { root: freshRoot() })
})

test('pull --all-tags', async () => {
  const repository = `${registry.host}/team/app`
  for (const tag of ['x', 'y'])
    await slipwayOk(['build', '-q', '--push', '-t', `${repository}:${tag}`, context], options)
  registry.fault = (request, response) => {
    if (!(request.url ?? '').includes('/tags/list')) return false
    end(response, 200, { 'content-type': 'application/json' }, '{"name":"team/app","tags":["x","y"]}')
    return true
  }
  const home = freshRoot()
  const { stdout } = await slipwayOk(['pull', '-q', '-a', repository], { root: home })
  expect(stdout).toBe(`${repository}:x\n${repository}:y\n`)
  expect((await slipwayOk(['images', '--format', 'json'], { root: home })).stdout).toMatch(/"Tag":"x"[\s\S]*"Tag":"y"/)
  const one = await slipway(['pull', '-a', `${repository}:x`], { root: home })
  expect(one.code).toBe(2)
  expect(one.stderr).toContain('without a tag')
})

test('a registry that goes away in the middle of a layer, and comes back after the error', async () => {
  const reference = `${registry.host}/team/app:1`
  await slipwayOk(['build', '-q', '--push', '-t', reference, context], options)
  const port = await freePort()
  let gone: Server | undefined
  const open = (): Promise<Server> =>
    new Promise(resolve => {
      // A tunnel that closes for good after 300,000 bytes.
      const server = createServer()
      server.removeAllListeners('connection')
      const sockets = new Set<{ destroy(): void }>()
      server.on('connection', socket => {
        sockets.add(socket)
        const [host = '', to = ''] = registry.host.split(':')
        const there = connect(Number(to), host)
        let sent = 0
        there.on('data', bytes => {
          sent += bytes.length
          socket.write(bytes)
          if (gone === undefined && sent > 300_000) {
            gone = server.close()
            for (const each of sockets) each.destroy()
          }
        })
        socket.on('data', bytes => there.write(bytes))
        for (const each of [socket, there])
          each.on('error', () => {}).on('close', () => [socket.destroy(), there.destroy()])
      })
      server.listen(port, '127.0.0.1', () => resolve(server))
    })
  const first = await open()
  const home = freshRoot()
  const there = `127.0.0.1:${port}/team/app:1`
  const failed = await slipway(['pull', there], { root: home })
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/cannot read blob sha256:\w+ of 127\.0\.0\.1:\d+\/team\/app: .*(refused|broke|reset)/)
  expect(leftovers(home)).toEqual({ mounts: [], processes: [], temporaries: [] })
  first.close()
  await using _ = {
    [Symbol.asyncDispose]: (
      server => async () =>
        void server.close()
    )(await open()),
  }
  await slipwayOk(['pull', '-q', there], { root: home })
  await slipwayOk(['export', there, '-o', join(home, 'files.tar')], { root: home })
}, 60_000)

describe('caches in a registry', () => {
  const steps = async (where: string, ...args: string[]): Promise<readonly boolean[]> => {
    const metadata = join(where, 'metadata.json')
    await slipwayOk(['build', '-q', '--metadata-file', metadata, ...args, context], { root: where })
    const { readFileSync } = await import('node:fs')
    const known = JSON.parse(readFileSync(metadata, 'utf8')) as { 'slipway.steps': { cached: boolean }[] }
    return known['slipway.steps'].map(({ cached }) => cached)
  }

  test('the first run, whose cache does not exist yet, only warns; the second finds it', async () => {
    const cache = `${registry.host}/team/cache:main`
    const args = [
      'build',
      '--progress',
      'plain',
      '--cache-from',
      cache,
      '--cache-to',
      `type=registry,ref=${cache}`,
      context,
    ]
    const { stderr } = await slipwayOk(args, { root: freshRoot() })
    expect(stderr).toMatch(/the cache .*team\/cache:main is not used/)
    expect(await steps(freshRoot(), '--cache-from', cache)).toEqual([true, true])
  })

  test('--print-plan with --cache-from says what the cache has, and fetches its records only', async () => {
    const cache = `${registry.host}/team/cache:main`
    const plan = async (): Promise<string[]> => {
      const args = ['build', '--print-plan', '--cache-from', cache, context]
      const { stdout } = await slipwayOk(args, { root: freshRoot() })
      const { stages } = JSON.parse(stdout) as { stages: { steps: { cache: string }[] }[] }
      return stages.flatMap(stage => stage.steps.map(step => step.cache))
    }
    expect(await plan()).toEqual(['miss', 'miss'])
    await steps(freshRoot(), '--cache-to', `type=registry,ref=${cache}`)
    const before = registry.seen.length
    expect(await plan()).toEqual(['hit', 'hit'])
    const asked = registry.seen.slice(before).filter(({ path }) => path.includes('/blobs/'))
    expect(asked.map(({ path }) => path)).toEqual([`/v2/team/cache/blobs/${manifestOf('main').config.digest}`])
  })

  test('two builds that export to the same name at once leave a whole cache', async () => {
    const cache = `${registry.host}/team/cache:shared`
    registry.fault = async () => (await sleep(10), false)
    const to = ['--cache-to', `type=registry,ref=${cache},mode=max`]
    await Promise.all([steps(freshRoot(), ...to), steps(freshRoot(), ...to)])
    registry.fault = () => false
    expect(registry.incomplete).toEqual([])
    expect(await steps(freshRoot(), '--cache-from', cache)).toEqual([true, true])
  })

  test('inline together with --push: the image is its own cache', async () => {
    const image = `${registry.host}/team/app:inline`
    await steps(freshRoot(), '--cache-to', 'type=inline', '--push', '-t', image)
    const plain = `${registry.host}/team/app:plain`
    await steps(freshRoot(), '--push', '-t', plain)
    expect(manifestOf('inline').config.digest).toBe(manifestOf('plain').config.digest)
    expect(await steps(freshRoot(), '--cache-from', image)).toEqual([true, true])
    expect(await steps(freshRoot(), '--cache-from', plain)).toEqual([false, false])
  })
})
