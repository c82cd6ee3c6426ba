import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasTool } from '../host.ts'
import { importTestBase, leftovers, slipwayOk, startSlipway } from '../slipway.ts'
import { type CountingProxy, startProxy } from './counting-proxy.ts'
import { hasRegistry, startRegistry } from './debian-registry.ts'
import { type FaultyRegistry, missingOf, startFaultyRegistry } from './faulty-registry.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-push-kill-'))
const context = join(root, 'context')
const platforms = 'linux/amd64,linux/arm64'
const rounds = 20

/** Small layers, several of them, so that there are many requests to be killed between. */
beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(context)
  const copies = Array.from({ length: 5 }, (_, i) => {
    writeFileSync(join(context, `file-${i}`), `${i}: some bytes that repeat\n`.repeat(4000))
    return `COPY file-${i} /files/${i}`
  })
  writeFileSync(join(context, 'Dockerfile'), `FROM slipway-test/base\n${copies.join('\n')}\n`)
  writeFileSync(join(context, 'several'), `FROM scratch\nARG TARGETARCH\nLABEL is=$TARGETARCH\n${copies.join('\n')}\n`)
})
afterAll(() => {
  expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
  rmSync(root, { recursive: true, force: true })
})

/** The command may have ended by itself. */
function killAll(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Starts a command and kills it after so many requests, and a little later; whether it was still running then. */
async function killed(args: readonly string[], seen: () => number, after: number): Promise<boolean> {
  const before = seen()
  const { child, ended } = startSlipway(args, { root })
  let over = false
  void ended.then(() => (over = true))
  while (!over && seen() - before < after) await sleep(2)
  await sleep(Math.random() * 12)
  killAll(child.pid)
  return (await ended).signal === 'SIGKILL'
}

/** Every name that a registry shows leads to blobs that are all there. */
function expectWhole(registry: FaultyRegistry, what: string): void {
  expect(registry.incomplete, what).toEqual([])
  for (const [name, { bytes }] of registry.manifests) expect(missingOf(bytes, registry), `${what}: ${name}`).toEqual([])
}

test.for<[string, string[]]>([
  ['push', []],
  ['build --push of several platforms', ['--platform', platforms, '-f', join(context, 'several')]],
])(
  '%s, killed at random moments, never leaves a name with missing blobs',
  { timeout: 300_000 },
  async ([, options]) => {
    await using registry = await startFaultyRegistry(async () => {
      // So that there is something to interrupt.
      await sleep(5)
      return false
    })
    const several = options.length > 0
    const reference = `${registry.host}/killed/app:1`
    const build = ['build', '-q', ...options, '-t', reference, context]
    await slipwayOk(build, { root })
    const push = several
      ? ['build', '-q', ...options, '-t', reference, '-o', 'type=registry,force-compression=true', context]
      : ['push', '-q', '--force-compression', reference]
    await slipwayOk(push, { root })
    const whole = registry.manifests.get('1')?.bytes.toString()
    const requests = registry.seen.length
    expect(requests).toBeGreaterThan(20)
    const clear = (): void => {
      registry.blobs.clear()
      registry.manifests.clear()
    }
    let interrupted = 0
    const times = several ? 4 : rounds
    for (let round = 0; round < times; round++) {
      clear()
      const after = 1 + Math.floor(((round + Math.random()) / times) * requests)
      if (await killed(push, () => registry.seen.length, after)) interrupted++
      // What is on its way may still arrive.
      await sleep(20)
      expectWhole(registry, `round ${round}, killed after ${after} requests`)
      if (round % 5 !== 3) continue
      await slipwayOk(push, { root })
      expectWhole(registry, `round ${round}, completed`)
      expect(registry.manifests.get('1')?.bytes.toString()).toBe(whole)
    }
    expect(interrupted).toBeGreaterThan(times / 2)
  },
)

test.skipIf(!hasRegistry)(
  "a push to Debian's registry, killed, and completed",
  async ({ skip }) => {
    skip(!hasTool('skopeo'), 'skopeo is not installed')
    await using registry = await startRegistry()
    await using proxy: CountingProxy = await startProxy(registry.host)
    proxy.delay = 5
    const reference = `${proxy.host}/killed/app:1`
    await slipwayOk(['build', '-q', '-t', reference, context], { root })
    const push = ['push', '-q', '--force-compression', reference]
    for (const after of [6, 14, 20]) {
      await killed(push, () => proxy.requests.length, after)
      await sleep(100)
      expect(await brokenTags(registry.origin, 'killed/app')).toEqual([])
    }
    await slipwayOk(push, { root })
    expect(await brokenTags(registry.origin, 'killed/app')).toEqual([])
    const seen = execFileSync('skopeo', [
      'inspect',
      '--config',
      '--raw',
      '--tls-verify=false',
      `docker://${registry.host}/killed/app:1`,
    ])
    const [here] = JSON.parse((await slipwayOk(['inspect', reference], { root })).stdout) as {
      RootFS: { Layers: string[] }
    }[]
    expect((JSON.parse(seen.toString()) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids).toEqual(
      here?.RootFS.Layers,
    )
  },
  120_000,
)

/** Tags whose manifest or blobs the registry cannot give. */
async function brokenTags(origin: string, name: string): Promise<string[]> {
  const listed = await fetch(`${origin}/v2/${name}/tags/list`)
  if (listed.status === 404) return []
  const { tags } = (await listed.json()) as { tags: string[] | null }
  const broken: string[] = []
  for (const tag of tags ?? []) {
    const accept = 'application/vnd.oci.image.manifest.v1+json'
    const response = await fetch(`${origin}/v2/${name}/manifests/${tag}`, { headers: { accept } })
    const { config, layers } = (await response.json()) as Record<'config', { digest: string }> & {
      layers: { digest: string }[]
    }
    for (const { digest } of [config, ...layers]) {
      const { status } = await fetch(`${origin}/v2/${name}/blobs/${digest}`, { method: 'HEAD' })
      if (status !== 200) broken.push(`${tag}: ${digest} ${status}`)
    }
  }
  return broken
}
