import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, isRoot } from './host.ts'
import { type Basis, basisOf, compareWithExpectation } from './oracle/expectation.ts'
import { readOciArchive } from './oracle/image-archive.ts'
import { buildArguments, listSamples, prepareSample, readExpectation, type Sample } from './oracle/sample.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, leftovers, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-samples-'))
const canRun = canSandbox && findBusybox().runs
let basis: Basis

beforeAll(async () => {
  const base = await importTestBase(root)
  basis = basisOf(base.archive, bytes => createHash('sha256').update(bytes).digest('hex'))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('a sample builds as a Docker engine builds it', () => {
  for (const sample of listSamples()) {
    test(`${sample.name}: ${sample.settings.about}`, async ({ skip }) => {
      skip(sample.runs && !canRun, 'RUN needs root, mount namespaces and a static busybox')
      skip(sample.settings.needsRoot === true && !isRoot, 'its context can only be made by root')
      expect(await buildAndCompare(sample)).toEqual([])
    })
  }

  test('and leaves nothing behind', () => {
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
  })
})

async function buildAndCompare(sample: Sample): Promise<string[]> {
  const prepared = prepareSample(sample, join(root, sample.name))
  const archive = join(root, `${sample.name}.tar`)
  const args = [...buildArguments(sample, prepared), '--output', `type=oci,dest=${archive}`, prepared.context]
  await slipwayOk(['build', '--progress', 'plain', ...args], { root })
  const image = readOciArchive(readFileSync(archive))
  return compareWithExpectation(image, readExpectation(sample), sample.settings.differences ?? [], basis)
}
