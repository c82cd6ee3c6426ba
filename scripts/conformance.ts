// Builds random Dockerfiles with Slipway and with a Docker engine and compares trees, configurations and histories:
// `npm run conformance -- [--cases N] [--seed N] [--only SEED,SEED] [--workers N]`. Case number i has the seed SEED + i; a
// difference is shrunk and printed. Ctrl-C ends it with the figures so far. Needs an engine with BuildKit (DOCKER names another command), and root for RUN.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BuildCase, dockerfileOf } from '../test/conformance/build-case.ts'
import { compareCase, findEngine, type Laboratory } from '../test/conformance/compare-case.ts'
import { generateCase } from '../test/conformance/generate-case.ts'
import { shrinkCase } from '../test/conformance/shrink-case.ts'
import { canSandbox } from '../test/host.ts'
import { basisOf } from '../test/oracle/expectation.ts'
import { findBusybox, testBaseName } from '../test/oracle/test-base.ts'
import { importTestBase } from '../test/slipway.ts'

const { values: flags } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    workers: { type: 'string', default: '3' },
  },
})
const first = Number(flags.seed)
const seeds =
  flags.only === undefined
    ? Array.from({ length: Number(flags.cases) }, (_, i) => first + i)
    : flags.only.split(',').map(Number)
const runs = canSandbox && findBusybox().runs
const counts = { same: 0, refused: 0, different: 0, unclear: 0 }
const known = new Map<string, number>()
const reasons = new Map<string, number>()
const failed: number[] = []
let done = 0
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true))

function print(buildCase: BuildCase, lines: readonly string[]): void {
  const objects = buildCase.objects.map(o => `  ${o.kind} ${o.mode.toString(8)} ${o.path} ${JSON.stringify(o.value)}`)
  const parts = [
    `\n=== ${buildCase.name}${buildCase.cached ? ' (with results of earlier cases)' : ''}`,
    dockerfileOf(buildCase).trimEnd(),
    ...(buildCase.ignore.length > 0 ? ['--- .dockerignore', ...buildCase.ignore] : []),
    ...(Object.keys(buildCase.buildArgs).length > 0
      ? [`--- build arguments ${JSON.stringify(buildCase.buildArgs)}`]
      : []),
    ...(objects.length > 0 ? ['--- context', ...objects] : []),
    '--- Slipway against the engine',
    ...lines.map(line => `  ${line}`),
  ]
  process.stdout.write(`${parts.join('\n')}\n`)
}

/** Shrinking must not turn one difference into another. */
function shape(lines: readonly string[]): string {
  return lines
    .map(line => /both refuse|refuses|should not be there|missing|mode|[ug]id|mtime|config|history/.exec(line)?.[0])
    .join()
    .slice(0, 20)
}

async function tryCase(seed: number, laboratory: Laboratory): Promise<void> {
  const buildCase = generateCase(seed, { runs })
  const verdict = await compareCase(buildCase, `case-${seed}`, laboratory)
  for (const { rule } of verdict.known) known.set(rule, (known.get(rule) ?? 0) + 1)
  if (verdict.reason !== undefined) reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1)
  if (verdict.lines.length === 0) {
    counts[verdict.kind]++
    return
  }
  failed.push(seed)
  let lines = verdict.lines
  let tries = 0
  const smallest = await shrinkCase(buildCase, async smaller => {
    if (stopped) return false
    const again = await compareCase(smaller, `case-${seed}-${++tries}`, laboratory)
    const still = again.lines.length > 0 && shape(again.lines) === shape(verdict.lines)
    if (still) lines = again.lines
    return still
  })
  print(smallest, lines)
}

const root = mkdtempSync(join(tmpdir(), 'slipway-conformance-'))
const started = Date.now()
try {
  const docker = findEngine()
  if (docker === undefined) throw new Error('no Docker engine with BuildKit answers')
  const { archive } = await importTestBase(root)
  execFileSync(docker, ['import', '-', testBaseName], { input: archive, stdio: ['pipe', 'ignore', 'inherit'] })
  const basis = basisOf(archive, bytes => createHash('sha256').update(bytes).digest('hex'))
  const queue = seeds.values()
  const work = async (): Promise<void> => {
    for (const seed of queue) {
      if (stopped) break
      await tryCase(seed, { root, docker, basis })
      if (++done % 100 === 0) process.stderr.write(`${done} cases\n`)
    }
  }
  await Promise.all(Array.from({ length: Number(flags.workers) }, work))
} finally {
  rmSync(root, { recursive: true, force: true })
}
const seconds = Math.round((Date.now() - started) / 1000)
const tally = (counted: ReadonlyMap<string, number>): string =>
  [...counted]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, times]) => `${name} (${times})`)
    .join(', ') || 'none'
process.stdout.write(
  `${done} cases from seed ${seeds[0]} in ${seconds} s${runs ? '' : ', without RUN'}: ` +
    `${counts.same} the same, ${counts.refused} refused by both for the same reason, ` +
    `${counts.unclear} for reasons that could not be told apart, ${counts.different} with listed differences, ` +
    `${failed.length} with others${failed.length > 0 ? `: seeds ${failed.join(', ')}` : ''}\n` +
    `reasons of refusals: ${tally(reasons)}\nlisted differences by checkbox: ${tally(known)}\n`,
)
process.exitCode = failed.length > 0 || stopped ? 1 : 0
