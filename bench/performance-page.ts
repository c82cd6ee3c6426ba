import { remarks } from './remarks.ts'
import {
  type CaseResult,
  floorList,
  own,
  ownTable,
  ownTargets,
  ratio,
  type Results,
  seconds,
  targets,
  usageTable,
  wallTable,
} from './results.ts'
import { median } from './statistics.ts'

/** docs/performance.md: figures of one whole run, and what they say. */
export function performancePage(results: Results): string {
  return `${[
    '# How fast Slipway is',
    introduction(results),
    '## Beside the peers',
    `Wall time in seconds: median (fastest to slowest). Ratios are of medians; below 1 slipway is faster, **bold** is above the
target. The floor is what nobody can do without, measured in the same run.`,
    wallTable(results),
    '## Processor time and memory',
    `Of all processes that work for a build: for Docker also the daemon and what it starts. Peak memory is the highest sum of
resident memory, looked at in rounds of their own.`,
    usageTable(results),
    '## Slipway alone',
    ownTable(results),
    '## Targets',
    targetLines(results).join('\n'),
    '## What bounds it, and what was tried',
    remarks,
    '## The floors',
    floorList(results),
    '## Where the time of your build goes',
    `\`slipway build --trace trace.json .\` writes a trace that chrome://tracing and ui.perfetto.dev show: every step on the line of its stage,
in it the cache look-up, the making of the layer, packing, what it waited for, and the transfers. After the build it prints the
critical path: the steps that the build's time consists of.`,
    '## Measure it yourself',
    `\`npm run bench\` runs all of it from a clean clone: whoever of Docker, buildah and podman is there takes part, and a registry on this
machine, where \`docker-registry\` is installed. podman builds with buildah's code: it has a dash where that costs minutes. \`npm run bench -- --only S1,S3 --rounds 9\` runs some, \`--json FILE\` keeps every
round, \`--write docs/performance.md\` writes this page. \`npm run bench:short\` is what continuous integration runs: S1, S2, S3 and S8 with
slipway alone; it fails on a wrong image, never on a time.`,
    ...skippedLines(results),
  ].join('\n\n')}\n`
}

function introduction({ machine, commit, rounds, builders }: Results): string {
  const peers = Object.entries(builders).map(([name, version]) => `${name} ${version}`)
  return `One run of \`npm run bench\` at commit ${commit}: every scenario by everyone in turn, one warm-up, then ${rounds} counted rounds
(fewer where a row says so: three where the warm-up by everyone takes over 20 seconds, one for the largest inputs).
Machines are noisy: compare within one run, with ratios.

- machine: ${machine.cores} cores (${machine.processor}), ${(machine.memory / 2 ** 30).toFixed(0)} GiB of memory, ${machine.fileSystem}, ${machine.system}, Linux ${machine.kernel}
- load before the run: ${machine.load}
- builders: ${peers.join(', ')}
- slipway runs on Node ${machine.node.replace('v', '')} itself: a \`slipway\` that finds an older Node on PATH starts the newer one, and waits for
  the start of both`
}

function targetLines(results: Results): string[] {
  const byId = new Map(results.cases.map(each => [each.id, each]))
  const lines: string[] = []
  for (const [id, peers] of Object.entries(targets)) {
    const result = byId.get(id)
    for (const [peer, target] of Object.entries(peers)) {
      const value = result && ratio(result, peer)
      if (value === undefined) lines.push(`- ${id} against ${peer}: not measured here (target ${target})`)
      else lines.push(`- ${id} against ${peer}: ${value.toFixed(2)}, target ${target}: ${verdict(value <= target)}`)
    }
  }
  return [...lines, ...ownLines(byId)]
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : '**missed**'
}

function wallOf(result: CaseResult | undefined): number | undefined {
  const measured = result?.builders[own]
  return measured && median(measured.wall)
}

function ownLines(byId: ReadonlyMap<string, CaseResult>): string[] {
  const lines: string[] = []
  const cached = wallOf(byId.get('S1'))
  if (cached !== undefined)
    lines.push(
      `- S1, the whole process: ${seconds(cached)} s, target ${ownTargets.cached}: ${verdict(cached <= ownTargets.cached)}`,
    )
  const [ten, none] = [wallOf(byId.get('S2')), wallOf(byId.get('S2-without'))]
  if (ten !== undefined && none !== undefined) {
    const each = (ten - none) / 10
    lines.push(
      `- S2, each RUN: ${(each * 1000).toFixed(1)} ms with its command, target ${ownTargets.perRun * 1000}: ${verdict(each <= ownTargets.perRun)}`,
    )
  }
  for (const [id, { builders }] of byId) {
    const memory = builders[own]?.memory
    if (!id.startsWith('S13') || memory === undefined) continue
    lines.push(
      `- ${id}, memory: ${(memory / 2 ** 20).toFixed(0)} MiB, target ${ownTargets.memory / 2 ** 20}: ${verdict(memory <= ownTargets.memory)}`,
    )
  }
  return [...lines, ...growthLines(byId)]
}

/** What noise may add to ten times the time. */
const linearTolerance = 1.1

function growthLines(byId: ReadonlyMap<string, CaseResult>): string[] {
  const counts = [1_000, 10_000, 100_000, 1_000_000].filter(count => byId.has(`S14-files-${count}`))
  const lines: string[] = []
  for (const [i, count] of counts.entries()) {
    const before = counts[i - 1]
    if (before === undefined) continue
    const [small, large] = [byId.get(`S14-files-${before}`), byId.get(`S14-files-${count}`)]
    const [smallTime, largeTime] = [wallOf(small), wallOf(large)]
    const [smallMemory, largeMemory] = [small?.builders[own]?.memory, large?.builders[own]?.memory]
    if (smallTime === undefined || largeTime === undefined || !smallMemory || !largeMemory) continue
    const perFile = (largeMemory - smallMemory) / (count - before)
    lines.push(
      `- S14, from ${before.toLocaleString('en')} to ${count.toLocaleString('en')} files: ${(largeTime / smallTime).toFixed(1)} times the time, ` +
        `${perFile.toFixed(0)} bytes of memory a file, target ${ownTargets.perFile}: ${verdict(perFile <= ownTargets.perFile)}`,
    )
  }
  return [...lines, ...stepLines(byId, 'copy', 'COPY'), ...stepLines(byId, 'run', 'RUN')]
}

/** Ten times the steps in ten times the time, or less: the start counts once. */
function stepLines(byId: ReadonlyMap<string, CaseResult>, kind: string, keyword: string): string[] {
  const counts = [10, 100, 1_000].filter(count => byId.has(`S14-${kind}-${count}`))
  return counts.flatMap((count, i) => {
    const before = counts[i - 1]
    if (before === undefined) return []
    const [small, large] = [before, count].map(each => wallOf(byId.get(`S14-${kind}-${each}`)))
    if (small === undefined || large === undefined) return []
    const times = large / small
    return [
      `- S14, from ${before} to ${count.toLocaleString('en')} ${keyword} steps: ${times.toFixed(1)} times the time, ` +
        `target ${(count / before) * linearTolerance}: ${verdict(times <= (count / before) * linearTolerance)}`,
    ]
  })
}

function skippedLines({ skipped, cases }: Results): string[] {
  const failures = cases.flatMap(({ id, failures: all }) =>
    Object.entries(all).map(([name, reason]) => `- ${id}, ${name}: ${reason.split('\n')[0] ?? ''}`),
  )
  const lines = [...skipped.map(({ id, reason }) => `- ${id}: ${reason}`), ...failures]
  return lines.length === 0 ? [] : ['## Not measured in this run', lines.join('\n')]
}
