import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { readOciArchive } from './oracle/image-archive.ts'
import { mergeLayers } from './oracle/merged-tree.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, leftovers, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-concurrent-'))
const canRun = canSandbox && findBusybox().runs

beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(join(root, 'context/data'), { recursive: true })
  for (let i = 0; i < 200; i++) writeFileSync(join(root, `context/data/${i}`), `${i}\n`.repeat(i))
  const run = canRun ? 'RUN cat /data/* | sha256sum > /sum\n' : ''
  writeFileSync(
    join(root, 'context/Dockerfile'),
    `FROM slipway-test/base AS shared\nCOPY data /data\n${run}FROM shared\nARG WHO=nobody\nLABEL who=$WHO\nWORKDIR /of/$WHO\n`,
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('several builds use one state directory at once', async () => {
  const names = ['same', 'same', 'same', 'b', 'c', 'd']
  const builds = names.map(async (who, i) => {
    const archive = join(root, `${i}.tar`)
    const args = ['--build-arg', `WHO=${who}`, '-t', `concurrent:${who}`, '-o', `type=oci,dest=${archive}`]
    await slipwayOk(['build', ...args, join(root, 'context')], { root })
    return readOciArchive(readFileSync(archive))
  })
  const images = await Promise.all(builds)
  for (const [i, image] of images.entries()) {
    const tree = mergeLayers(image.layers)
    expect(tree.get(`/of/${names[i]}`)?.type).toBe('directory')
    expect([...tree.keys()].filter(path => path.startsWith('/data/'))).toHaveLength(200)
    if (canRun) expect(tree.get('/sum')?.size).toBeGreaterThan(60)
  }
  const { stdout } = await slipwayOk(['images', '--format', 'json'], { root })
  for (const who of new Set(names)) expect(stdout).toContain(`"Tag":"${who}"`)
  expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
})

test('prune, listing and builds do not disturb each other', async () => {
  const rounds = Array.from({ length: 4 }, (_, i) => i)
  const work = [
    ...rounds.map(i =>
      slipway(['build', '--no-cache', '--build-arg', `WHO=p${i}`, '-t', `pruned:${i}`, join(root, 'context')], {
        root,
      }),
    ),
    ...rounds.map(() => slipway(['prune', '--force'], { root })),
    ...rounds.map(() => slipway(['images'], { root })),
    slipway(['df'], { root }),
  ]
  for (const result of await Promise.all(work)) expect(result.code, result.stderr).toBe(0)
  for (const i of rounds) {
    const { stdout } = await slipwayOk(['inspect', `pruned:${i}`], { root })
    expect(stdout).toContain(`p${i}`)
    await slipwayOk(['export', '-o', join(root, `exported-${i}.tar`), `pruned:${i}`], { root })
    const tree = mergeLayers([readFileSync(join(root, `exported-${i}.tar`))])
    expect([...tree.keys()].filter(path => path.startsWith('/data/'))).toHaveLength(200)
  }
})
