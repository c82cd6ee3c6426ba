import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type BuildCase, dockerfileOf } from './conformance/build-case.ts'
import { compareCase, findEngine } from './conformance/compare-case.ts'
import { generateCase } from './conformance/generate-case.ts'
import { shrinkCase } from './conformance/shrink-case.ts'
import { canSandbox } from './host.ts'
import { basisOf } from './oracle/expectation.ts'
import { findBusybox, testBaseName } from './oracle/test-base.ts'
import { importTestBase } from './slipway.ts'

/** A few of the random builds of `npm run conformance`, and that the machinery does what it says. */

const root = mkdtempSync(join(tmpdir(), 'slipway-conformance-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a seed always gives the same case, another seed another one', () => {
  const text = (seed: number): string => JSON.stringify(generateCase(seed, { runs: true }))
  expect(text(7)).toBe(text(7))
  expect(new Set(Array.from({ length: 50 }, (_, seed) => text(seed))).size).toBe(50)
})

test('shrinking leaves what the failure needs', async () => {
  const buildCase: BuildCase = {
    name: 'big',
    instructions: [
      'ARG G=1',
      'FROM scratch AS stage0',
      'ENV A=1',
      'COPY --chmod=600 a b /d/',
      'USER 1',
      'FROM scratch AS stage1',
      'ENV B=1',
    ],
    objects: ['a', 'b', 'c'].map(path => ({ path, kind: 'file', mode: 0o644, value: '' })),
    ignore: ['x', 'y'],
    buildArgs: { G: '2' },
    cached: true,
  }
  const needed = ({ instructions, objects }: BuildCase): boolean =>
    instructions.some(text => text.startsWith('COPY')) && objects.some(({ path }) => path === 'b')
  const smallest = await shrinkCase(buildCase, async smaller => needed(smaller))
  expect(dockerfileOf(smallest)).toBe('FROM scratch AS stage0\nCOPY a b /d/\n')
  expect(smallest.objects.map(({ path }) => path)).toEqual(['b'])
  expect([smallest.ignore, smallest.buildArgs, smallest.cached]).toEqual([[], {}, false])
})

test('random builds are as a Docker engine makes them', async ({ skip }) => {
  const docker = findEngine()
  if (docker === undefined) return skip('needs a Docker engine with BuildKit')
  const { archive } = await importTestBase(root)
  execFileSync(docker, ['import', '-', testBaseName], { input: archive, stdio: ['pipe', 'ignore', 'inherit'] })
  const basis = basisOf(archive, bytes => createHash('sha256').update(bytes).digest('hex'))
  const runs = canSandbox && findBusybox().runs
  for (let seed = 1; seed <= 10; seed++) {
    const buildCase = generateCase(seed, { runs })
    const { lines } = await compareCase(buildCase, `test-${process.pid}-${seed}`, { root, docker, basis })
    expect({ dockerfile: dockerfileOf(buildCase), lines }).toMatchObject({ lines: [] })
  }
}, 120_000)
