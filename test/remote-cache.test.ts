import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { digestHex, digestOf } from '#oci'
import { testBaseName } from './oracle/test-base.ts'
import { type CountingProxy, startProxy } from './registry/counting-proxy.ts'
import { hasRegistry, type RunningRegistry, startRegistry } from './registry/debian-registry.ts'
import { importTestBase, leftovers, slipway, slipwayOk } from './slipway.ts'

const isRoot = process.getuid?.() === 0

/** Commands whose results differ each time: whoever runs one again gets another image. */
const dockerfile = [
  `FROM ${testBaseName} AS builder`,
  'RUN head -c 500000 /dev/urandom > /out1',
  'RUN <<X',
  'cat /proc/sys/kernel/random/uuid > /out2',
  'X',
  'RUN --mount=type=cache,id=kept,target=/c --mount=type=secret,id=s \\',
  '  cat /proc/sys/kernel/random/uuid >> /c/list; cp /c/list /out3',
  `FROM ${testBaseName}`,
  'RUN cat /proc/sys/kernel/random/uuid > /own',
  'COPY --from=builder /out1 /out2 /o/',
  'COPY --link Dockerfile /linked/',
  'COPY --chown=app Dockerfile /named/',
  'ENV A=b',
]

interface Step {
  readonly instruction: string
  readonly cached: boolean
}

/** Every machine is a state directory of its own with the same base. */
describe.skipIf(!isRoot)('caches of other machines', () => {
  let home: string
  let root: string
  let context: string
  let runs: boolean
  let id: string
  let registry: RunningRegistry | undefined
  let proxy: CountingProxy | undefined
  let machines = 0

  const machine = async (): Promise<string> => {
    const directory = join(home, `machine-${++machines}`)
    await mkdir(directory)
    if (machines === 1) {
      ;({ runs } = await importTestBase(directory))
      await slipwayOk(['save', '-o', join(home, 'base.tar'), testBaseName], { root: directory })
    } else await slipwayOk(['load', '-q', '-i', join(home, 'base.tar')], { root: directory })
    return directory
  }
  /** Builds on a machine, and says what became of the steps. */
  const build = async (
    where: string,
    ...args: string[]
  ): Promise<{ id: string; steps: readonly Step[]; stderr: string }> => {
    const metadata = join(where, 'metadata.json')
    const secret = ['--secret', `id=s,src=${join(context, 'Dockerfile')}`]
    const { stderr } = await slipwayOk(
      ['build', '--progress', 'plain', '-t', 'result', '--metadata-file', metadata, ...secret, ...args],
      { root: where },
    )
    const known = JSON.parse(await readFile(metadata, 'utf8')) as {
      'containerimage.config.digest': string
      'slipway.steps': readonly Step[]
    }
    return { id: known['containerimage.config.digest'], steps: known['slipway.steps'], stderr }
  }
  const notCached = (steps: readonly Step[]): string[] =>
    steps.filter(({ cached }) => !cached).map(({ instruction }) => instruction)

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'slipway-remote-cache-'))
    context = join(home, 'context')
    await mkdir(context)
    await writeFile(join(context, 'Dockerfile'), `${dockerfile.join('\n')}\n`)
    root = await machine()
    if (!runs) return
    const to = [
      `type=local,dest=${join(home, 'min')}`,
      `type=local,dest=${join(home, 'max')},mode=max,compression=zstd,mounts=kept`,
      'type=inline',
    ]
    if (hasRegistry) {
      registry = await startRegistry()
      proxy = await startProxy(registry.host)
      to.push(`type=registry,ref=${proxy.host}/cache:max,mode=max`, `type=registry,ref=${proxy.host}/cache:min`)
    }
    const output = ['-o', `type=oci,tar=false,dest=${join(home, 'inline')}`]
    ;({ id } = await build(root, ...to.flatMap(each => ['--cache-to', each]), ...output, context))
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    expect(leftovers(home)).toEqual({ mounts: [], processes: [], temporaries: [] })
    await rm(home, { recursive: true, force: true })
  })
  beforeEach(context_ => {
    context_.skip(!runs, 'nothing can be run here')
    if (proxy) proxy.requests.length = 0
  })

  test.each(['min', 'max', 'inline'])('local, %s: nothing is executed, and the image is the same', async kind => {
    const where = await machine()
    const tag = kind === 'inline' ? ',tag=latest' : ''
    const built = await build(where, '--cache-from', `type=local,src=${join(home, kind)}${tag}`, context)
    expect(notCached(built.steps)).toEqual([])
    expect(built.id).toBe(id)
    // Its layers are fetched for who wants their files.
    const run = await slipwayOk(['run', 'result', 'sh', '-c', 'cat /own /o/out2 && wc -c < /o/out1'], { root: where })
    const there = await slipwayOk(['run', 'result', 'sh', '-c', 'cat /own /o/out2 && wc -c < /o/out1'], { root })
    expect(run.stdout).toBe(there.stdout)
  })

  test.skipIf(!hasRegistry)('registry: records alone are read, and the result is mounted', async () => {
    const host = proxy?.host ?? ''
    for (const name of ['max', 'min']) {
      const where = await machine()
      const target = `${host}/result-${name}:1`
      const built = await build(where, '--cache-from', `${host}/cache:${name}`, '-t', target, context)
      expect(notCached(built.steps)).toEqual([])
      expect(built.id).toBe(id)
      expect(proxy?.requests.filter(line => /^GET .*\/blobs\//.test(line))).toHaveLength(1)
      await slipwayOk(['push', '-q', target], { root: where })
      // The base was never in this registry; all that was built was.
      expect(proxy?.requests.filter(line => /^GET .*\/blobs\//.test(line))).toHaveLength(1)
      if (proxy) proxy.requests.length = 0
    }
  })

  test('a step that needs files of a stage that min left out builds that stage', async () => {
    const other = await changed('other', text =>
      text.replace('COPY --from=builder /out1 /out2 /o/', 'COPY --from=builder /out3 /p/'),
    )
    const min = await build(await machine(), '--cache-from', `type=local,src=${join(home, 'min')}`, other)
    expect(notCached(min.steps).map(text => text.split(' ')[0])).toEqual(['RUN', 'RUN', 'RUN', 'COPY', 'COPY', 'COPY'])
    const max = await build(await machine(), '--cache-from', `type=local,src=${join(home, 'max')}`, other)
    expect(notCached(max.steps).map(text => text.split(' ')[0])).toEqual(['COPY', 'COPY', 'COPY'])
  })

  test('cache mounts travel where both sides say so', async () => {
    const list = (path: string, where: string) => slipwayOk(['run', 'result', 'cat', path], { root: where })
    const other = await changed('mounts', text =>
      text.replace('cp /c/list /out3', 'cp /c/list /out3; :').replace(' /out1 /out2 ', ' /out3 '),
    )
    const [with_, without] = [await machine(), await machine()]
    await build(with_, '--cache-from', `type=local,src=${join(home, 'max')},mounts=kept`, other)
    await build(without, '--cache-from', `type=local,src=${join(home, 'max')}`, other)
    expect((await list('/o/out3', with_)).stdout.trim().split('\n')).toHaveLength(2)
    expect((await list('/o/out3', without)).stdout.trim().split('\n')).toHaveLength(1)
  })

  test('no secret is in a cache', async () => {
    for (const kind of ['min', 'max']) {
      const { text } = await records(join(home, kind))
      expect(text).toContain('"records"')
      expect(text).not.toContain('FROM slipway-test')
    }
  })

  test('a cache that is not there, no cache, or damaged: a warning, and a whole build', async () => {
    const where = await machine()
    const bad = join(home, 'bad')
    await slipwayOk(
      [
        'build',
        '-q',
        '--cache-to',
        `type=local,dest=${bad}`,
        context,
        '--secret',
        `id=s,src=${join(context, 'Dockerfile')}`,
      ],
      { root },
    )
    const { path } = await records(bad)
    await writeFile(path, '{"version":1,"layers":[{"id":"../../etc"}],"records":[]}')
    const from = [`type=local,src=${bad}`, `type=local,src=${join(home, 'nowhere')}`].flatMap(each => [
      '--cache-from',
      each,
    ])
    const built = await build(where, ...from, context)
    expect(built.stderr.match(/is not used/g)).toHaveLength(2)
    expect(notCached(built.steps)).toHaveLength(built.steps.length)
  })

  test('a layer that is another than its record says is made anew', async () => {
    const where = await machine()
    const wrong = join(home, 'wrong')
    await slipwayOk(
      [
        'build',
        '-q',
        '--cache-to',
        `type=local,dest=${wrong},compression=uncompressed`,
        context,
        '--secret',
        `id=s,src=${join(context, 'Dockerfile')}`,
      ],
      { root },
    )
    await swapBlobs(wrong)
    const output = ['-o', `type=oci,dest=${join(where, 'out.tar')}`]
    const built = await build(where, '--cache-from', `type=local,src=${wrong}`, ...output, context)
    expect(built.stderr).toMatch(/a layer of the cache is made anew: .*diff id/)
    expect(notCached(built.steps).length).toBeGreaterThan(0)
    const { stdout } = await slipwayOk(['run', 'result', 'sh', '-c', 'wc -c < /o/out1'], { root: where })
    expect(stdout.trim()).toBe('500000')
  })

  test.each([
    ['type=gha,scope=main', /type "gha" is not supported[\s\S]*ghcr\.io/],
    ['type=s3,bucket=x', /type "s3" is not supported[\s\S]*type=local/],
    ['type=azblob', /type "azblob" is not supported[\s\S]*type=local/],
    ['type=local', /"src" is missing/],
    ['type=registry,ref=A', /lower case/],
    ['type=local,src=x,mode=max', /unknown key "mode"/],
    ['type=local,src=x,mounts-max-size=1GB', /without mounts/],
  ])('--cache-from %s', async (text, message) => {
    const { code, stderr } = await slipway(['build', '--cache-from', text, context], { root })
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  const changed = async (name: string, change: (text: string) => string): Promise<string> => {
    const directory = join(home, `context-${name}`)
    await mkdir(directory)
    const text = await readFile(join(context, 'Dockerfile'), 'utf8')
    const now = change(text)
    expect(now).not.toBe(text)
    await writeFile(join(directory, 'Dockerfile'), now)
    return directory
  }
})

interface Manifest {
  readonly config: { readonly digest: `sha256:${string}`; readonly size: number }
  readonly layers: { digest: string; size: number; mediaType: string }[]
}

/** Reads a cache in a layout as a stranger would. */
async function records(layout: string): Promise<{ path: string; text: string; manifest: Manifest }> {
  const read = (digest: string): Promise<string> => readFile(blobPath(layout, digest), 'utf8')
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }
  const manifest = JSON.parse(await read(index.manifests[0]?.digest ?? '')) as Manifest
  return { path: blobPath(layout, manifest.config.digest), text: await read(manifest.config.digest), manifest }
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs/sha256', digest.replace('sha256:', ''))
}

/** Makes a valid layout in which the records' first two blobs are each other's. */
async function swapBlobs(layout: string): Promise<void> {
  const { manifest } = await records(layout)
  const [first, second, ...rest] = manifest.layers
  const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: [second, first, ...rest] }))
  const digest = digestOf(bytes)
  await writeFile(join(layout, 'blobs/sha256', digestHex(digest)), bytes)
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: object[] }
  const manifests = index.manifests.map(entry => ({ ...entry, digest, size: bytes.length }))
  await writeFile(join(layout, 'index.json'), JSON.stringify({ ...index, manifests }))
  expect(await readdir(join(layout, 'blobs/sha256'))).toContain(digestHex(digest))
}
