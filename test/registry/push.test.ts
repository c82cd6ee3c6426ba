import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '#oci'
import { docker, hasTool, isRoot } from '../host.ts'
import { readDockerArchive, readOciArchive } from '../oracle/image-archive.ts'
import { mergeLayers } from '../oracle/merged-tree.ts'
import { findBusybox } from '../oracle/test-base.ts'
import { importTestBase, slipway, slipwayOk } from '../slipway.ts'
import { hasRegistry, type RunningRegistry, startRegistry } from './debian-registry.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-push-'))
const context = join(root, 'context')
const options = { root }
const runs = findBusybox().runs
const layers = 4

beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(context)
  for (let i = 0; i < layers; i++)
    writeFileSync(join(context, `file-${i}`), `${i}: some bytes that repeat\n`.repeat(40_000))
  const copies = Array.from({ length: layers }, (_, i) => `COPY file-${i} /files/${i}`)
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM slipway-test/base\n${copies.join('\n')}\nLABEL a=b\nENTRYPOINT ["/bin/cat"]\nCMD ["/files/0"]\n`,
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Manifest {
  readonly config: { readonly digest: string; readonly size: number }
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[]
  readonly manifests?: readonly { readonly digest: string }[]
}

const types = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

async function manifestOf(registry: RunningRegistry, name: string): Promise<{ text: string; manifest: Manifest }> {
  const [path, reference] = name.split(/[@:](.*)/s) as [string, string]
  const response = await fetch(`${registry.origin}/v2/${path}/manifests/${reference}`, { headers: { accept: types } })
  const text = await response.text()
  if (!response.ok) throw new Error(`${name}: ${response.status} ${text}`)
  return { text, manifest: JSON.parse(text) as Manifest }
}

describe.skipIf(!hasRegistry)("Debian's registry", () => {
  let registry: RunningRegistry
  beforeAll(async () => {
    registry = await startRegistry()
  })
  afterAll(() => registry?.[Symbol.asyncDispose]())
  const requests = (method: string): number =>
    registry
      .log()
      .match(
        new RegExp(
          `http\\.request\\.method=${method} .*msg="response completed"|msg="response completed".*http\\.request\\.method=${method} `,
          'g',
        ),
      )?.length ?? 0

  test('15.7 build --push; pushing again sends nothing', async () => {
    const name = `${registry.host}/team/app:1`
    const metadata = join(root, 'metadata.json')
    await slipwayOk(['build', '--push', '-t', name, '--metadata-file', metadata, context], options)
    const { text, manifest } = await manifestOf(registry, 'team/app:1')
    const { 'containerimage.digest': digest } = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, unknown>
    expect(digest).toBe(digestOf(text))
    expect(manifest.layers.map(layer => layer.mediaType)).toEqual(
      Array.from({ length: layers + 1 }, () => 'application/vnd.oci.image.layer.v1.tar+gzip'),
    )
    const before = [requests('PATCH'), requests('POST')]
    expect(before[0]).toBeGreaterThan(layers)
    const digestFile = join(root, 'digest')
    const again = await slipwayOk(['push', '--digest-file', digestFile, name], options)
    expect([requests('PATCH'), requests('POST')]).toEqual(before)
    expect(again.stdout).toBe(`${name}@${String(digest)}\n`)
    expect(readFileSync(digestFile, 'utf8')).toBe(`${String(digest)}\n`)
  })

  test('another repository of the registry gets the layers without their bytes', async () => {
    const name = `${registry.host}/other/app:2`
    await slipwayOk(['tag', `${registry.host}/team/app:1`, name], options)
    const before = requests('PATCH')
    await slipwayOk(['push', name], options)
    // The configuration alone.
    expect(requests('PATCH') - before).toBeLessThanOrEqual(1)
    expect((await manifestOf(registry, 'other/app:2')).text).toBe((await manifestOf(registry, 'team/app:1')).text)
    expect((await slipwayOk(['tags', `${registry.host}/other/app`], options)).stdout).toBe('2\n')
  })

  test.for([
    ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['none', 'application/vnd.oci.image.layer.v1.tar'],
  ])('--compression %s', async ([compression = '', type]) => {
    const name = `${registry.host}/packed/app:${compression}`
    await slipwayOk(['tag', `${registry.host}/team/app:1`, name], options)
    await slipwayOk(['push', '--compression', compression, '--force-compression', name], options)
    const { manifest } = await manifestOf(registry, `packed/app:${compression}`)
    expect(new Set(manifest.layers.map(layer => layer.mediaType))).toEqual(new Set([type]))
    const archive = join(root, `${compression}.tar`)
    await slipwayOk(['copy', `docker://${name}`, `docker-archive:${archive}`], options)
    expect(mergeLayers(readDockerArchive(readFileSync(archive)).layers).get('/files/3')?.type).toBe('file')
  })

  test('--all-tags, and several platforms as an index', async () => {
    for (const tag of ['x', 'y'])
      await slipwayOk(['tag', `${registry.host}/team/app:1`, `${registry.host}/all/app:${tag}`], options)
    await slipwayOk(['push', '--all-tags', `${registry.host}/all/app`], options)
    expect((await slipwayOk(['tags', `${registry.host}/all/app`], options)).stdout).toBe('x\ny\n')
    const scratch = join(root, 'scratch')
    mkdirSync(scratch)
    writeFileSync(join(scratch, 'Dockerfile'), 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\n')
    const name = `${registry.host}/many/app:1`
    await slipwayOk(['build', '--platform', 'linux/amd64,linux/arm64', '--push', '-t', name, scratch], options)
    const { manifest } = await manifestOf(registry, 'many/app:1')
    expect(manifest.manifests).toHaveLength(2)
    const listed = await slipwayOk(['ls', '--platform', 'linux/arm64', `docker://${name}`], options)
    expect(listed.stdout).toBe('/arm64\n')
    const copied = await slipwayOk(
      ['copy', '--all', '--preserve-digests', `docker://${name}`, `docker://${registry.host}/many/copy:1`],
      options,
    )
    expect((await manifestOf(registry, 'many/copy:1')).text).toBe((await manifestOf(registry, 'many/app:1')).text)
    expect(copied.stdout).toBe(`${digestOf((await manifestOf(registry, 'many/app:1')).text)}\n`)
  })

  test('copying keeps manifests from place to place, and contents where it cannot', async () => {
    const from = `docker://${registry.host}/team/app:1`
    const { text } = await manifestOf(registry, 'team/app:1')
    const digest = digestOf(text)
    const [layout, oci, dockerArchive] = [join(root, 'layout'), join(root, 'oci.tar'), join(root, 'docker.tar')]
    for (const to of [`oci:${layout}:one`, `oci-archive:${oci}:one`]) {
      expect((await slipwayOk(['copy', '--preserve-digests', from, to], options)).stdout).toBe(`${digest}\n`)
    }
    await slipwayOk(['copy', `oci:${layout}:one`, `docker://${registry.host}/back/layout:1`], options)
    await slipwayOk(['copy', `oci-archive:${oci}:one`, `docker://${registry.host}/back/archive:1`], options)
    for (const name of ['back/layout:1', 'back/archive:1']) expect((await manifestOf(registry, name)).text).toBe(text)
    await slipwayOk(['copy', from, `docker-archive:${dockerArchive}`], options)
    const one = readOciArchive(readFileSync(oci))
    const two = readDockerArchive(readFileSync(dockerArchive))
    expect(two.config).toEqual(one.config)
    expect(mergeLayers(two.layers)).toEqual(mergeLayers(one.layers))
    await slipwayOk(['copy', `docker-archive:${dockerArchive}`, 'copied:1'], options)
    const [inspected] = JSON.parse((await slipwayOk(['inspect', 'copied:1'], options)).stdout) as { Id: string }[]
    const [there] = JSON.parse((await slipwayOk(['inspect', from], options)).stdout) as { Id: string; Digest: string }[]
    expect(inspected?.Id).toBe(there?.Id)
    expect(there?.Digest).toBe(digest)
    // What is compressed is spooled, and the spool stays until everything has been read.
    writeFileSync(`${dockerArchive}.gz`, gzipSync(readFileSync(dockerArchive)))
    const other = { root: join(root, 'other-machine') }
    mkdirSync(other.root)
    for (const to of ['copied:1', `docker://${registry.host}/back/compressed:1`]) {
      await slipwayOk(['copy', `docker-archive:${dockerArchive}.gz`, to], other)
      const [copied] = JSON.parse((await slipwayOk(['inspect', to], other)).stdout) as { Id: string }[]
      expect(copied?.Id).toBe(there?.Id)
    }
    const refused = await slipway(['copy', '--preserve-digests', from, `docker-archive:${dockerArchive}`], options)
    expect(refused.code).toBe(1)
  })

  test('what is not there is said with what is', async () => {
    const near = await slipway(['inspect', `docker://${registry.host}/all/app:xx`], options)
    expect(near.stderr).toContain('did you mean "x"?')
    const none = await slipway(['history', `docker://${registry.host}/nothing/here:1`], options)
    expect(none.stderr).toContain('has no tag "1" of nothing/here')
  })

  describe('others', () => {
    test('skopeo inspects and copies what we pushed', ({ skip }) => {
      skip(!hasTool('skopeo'), 'skopeo is not installed')
      const name = `docker://${registry.host}/team/app:1`
      const inspected = JSON.parse(run('skopeo', 'inspect', '--tls-verify=false', name)) as {
        Labels: object
        Layers: unknown[]
      }
      expect(inspected.Labels).toEqual({ a: 'b' })
      expect(inspected.Layers).toHaveLength(layers + 1)
      run('skopeo', 'copy', '--src-tls-verify=false', name, `oci:${join(root, 'by-skopeo')}:1`)
    })

    test('what skopeo pushed is inspected and copied, also in the format of Docker', async ({ skip }) => {
      skip(!hasTool('skopeo'), 'skopeo is not installed')
      const name = `${registry.host}/by/skopeo:1`
      const archive = join(root, 'for-skopeo.tar')
      await slipwayOk(['save', '--type', 'oci', '-o', archive, `${registry.host}/team/app:1`], options)
      run('skopeo', 'copy', '--dest-tls-verify=false', '--format', 'v2s2', `oci-archive:${archive}`, `docker://${name}`)
      const [seen] = JSON.parse((await slipwayOk(['inspect', `docker://${name}`], options)).stdout) as {
        MediaType: string
      }[]
      expect(seen?.MediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
      await slipwayOk(['copy', `docker://${name}`, `docker://${registry.host}/by/slipway:1`], options)
      expect((await manifestOf(registry, 'by/slipway:1')).text).toBe((await manifestOf(registry, 'by/skopeo:1')).text)
    })

    test('docker pulls and runs it', ({ skip }) => {
      skip(docker === undefined || !runs, 'no Docker engine answers, or busybox is not static')
      const name = `${registry.host}/team/app:1`
      try {
        run(docker ?? '', 'pull', name)
        expect(run(docker ?? '', 'run', '--rm', '--network=none', name)).toContain('0: some bytes')
      } finally {
        run(docker ?? '', 'rmi', '-f', name)
      }
    })

    test('podman pulls it, compressed by zstd', ({ skip }) => {
      skip(!hasTool('podman') || !isRoot, 'podman or root is missing')
      const storage = ['--root', join(root, 'podman'), '--runroot', join(root, 'podman-run'), '--storage-driver=vfs']
      const name = `${registry.host}/packed/app:zstd`
      run('podman', ...storage, 'pull', '-q', '--tls-verify=false', name)
      const mounted = run('podman', ...storage, 'image', 'mount', name).trim()
      expect(readFileSync(join(mounted, 'files/0'), 'utf8')).toContain('0: some bytes')
    })
  })
})

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: root },
  })
}
