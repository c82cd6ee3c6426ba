// Records what a real Docker engine makes of the samples: `record-samples.ts [NAME...]` writes test/samples/NAME/expected.json.
// Needs a running engine with BuildKit and its command (DOCKER names another one); builds without any registry.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { basisOf, type Expectation, expectationOf } from '../test/oracle/expectation.ts'
import { readDockerArchive } from '../test/oracle/image-archive.ts'
import { buildArguments, listSamples, prepareSample, type Sample } from '../test/oracle/sample.ts'
import { findBusybox, testBaseArchive, testBaseName } from '../test/oracle/test-base.ts'

const command = process.env['DOCKER'] ?? 'docker'
const wanted = new Set(process.argv.slice(2))
const work = mkdtempSync(join(tmpdir(), 'slipway-record-'))
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

function docker(args: readonly string[], input?: Buffer): Buffer {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' }
  return execFileSync(command, args, { env, maxBuffer: 2 ** 30, ...(input === undefined ? {} : { input }) })
}

function record(sample: Sample): Expectation {
  const prepared = prepareSample(sample, join(work, sample.name))
  const tag = `slipway-test/sample-${sample.name}`
  docker(['build', '--no-cache', '--quiet', '--tag', tag, ...buildArguments(sample, prepared), prepared.context])
  const expectation = expectationOf(readDockerArchive(docker(['save', tag])), basis)
  docker(['image', 'rm', tag])
  return expectation
}

/** One line per path, so that a change reads well in a review. */
function render(expectation: Expectation): string {
  const { tree, history = [], ...rest } = expectation
  const lines = Object.entries(tree).map(([path, value]) => `    ${JSON.stringify(path)}: ${JSON.stringify(value)}`)
  const entries = history.map(entry => `    ${JSON.stringify(entry)}`)
  const text = JSON.stringify({ tree: '@tree', ...rest, history: '@history' }, null, 2)
    .replace('"@tree"', () => (lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`))
    .replace('"@history"', () => (entries.length === 0 ? '[]' : `[\n${entries.join(',\n')}\n  ]`))
  return `${text}\n`
}

const base = testBaseArchive(findBusybox().bytes)
const basis = basisOf(base, sha256)
try {
  docker(['import', '-', testBaseName], base)
  for (const sample of listSamples()) {
    if (sample.settings.byHand !== undefined || (wanted.size > 0 && !wanted.has(sample.name))) continue
    process.stdout.write(`${sample.name}: `)
    try {
      writeFileSync(join(sample.folder, 'expected.json'), render(record(sample)))
      process.stdout.write('recorded\n')
    } catch (error) {
      process.stdout.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = 1
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
