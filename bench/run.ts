// `npm run bench`: the same work with slipway and with every peer that this machine has, in turn, in one run.
//   --only S1,S3   --skip S13,S14   --rounds N (default 5)   --slipway-only   --short (S1, S2, S3, S8; slipway only)
//   --peers docker,buildah (default: all that are found)    --scratch DIRECTORY
//   --json FILE    --write FILE (a page like docs/performance.md): both hold what is known after every row, if the run is ended early
// Only ratios within one run mean something: machines are noisy. Fails on wrong results, never on times.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findBusybox, testBaseArchive, testBaseName } from '../test/oracle/test-base.ts'
import { type Builder, executable, findPeers, slipwayBuilder } from './builders.ts'
import { commit, describeMachine } from './machine.ts'
import { type Command, endRunning, measure, type Run } from './measure.ts'
import { performancePage } from './performance-page.ts'
import { startRegistry } from './registry.ts'
import { type CaseResult, type Measured, own, ownTable, type Results, usageTable, wallTable } from './results.ts'
import { type Bed, type Case, resultTag, type Scenario } from './scenario.ts'
import * as local from './scenarios/local.ts'
import * as remote from './scenarios/registry.ts'
import * as size from './scenarios/size.ts'
import { median } from './statistics.ts'

const scenarios: readonly Scenario[] = [
  local.cachedBuild,
  local.tenRuns,
  local.manyFiles,
  local.largeFile,
  remote.coldPull,
  remote.push,
  local.parallelStages,
  local.oneBinary,
  local.archive,
  remote.fromCache,
  local.eightAtOnce,
  size.largeImage,
  size.memory,
  size.growth,
]
const short = ['S1', 'S2', 'S3', 'S8']

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    skip: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    write: { type: 'string' },
    scratch: { type: 'string' },
    short: { type: 'boolean', default: false },
    'slipway-only': { type: 'boolean', default: false },
  },
})

function names(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map(name => name.trim().toUpperCase())
}

function wanted(): readonly Scenario[] {
  const only = names(values.only) ?? (values.short ? short : undefined)
  const skip = names(values.skip) ?? []
  const unknown = [...(only ?? []), ...skip].filter(id => !scenarios.some(each => each.id === id))
  if (unknown.length > 0)
    throw new Error(`no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ id }) => id).join(', ')}`)
  return scenarios.filter(({ id }) => (only?.includes(id) ?? true) && !skip.includes(id))
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

async function runPlain(command: Command): Promise<string> {
  const merged: Command = {
    ...command,
    program: 'sh',
    args: ['-c', '"$@" 2>&1', 'sh', command.program, ...command.args],
  }
  return (await measure(merged)).stdout
}

/** Whether slipway knows a command, or an option of one (`build --cache-from`). */
async function findKnown(): Promise<(command: string) => boolean> {
  const helps = new Map<string, string>()
  for (const name of ['', 'build'])
    helps.set(
      name,
      await runPlain({ program: process.execPath, args: [executable, ...(name ? [name] : []), '--help'] }),
    )
  return command => {
    const [name = '', option] = command.split(' ')
    const help = helps.get(option === undefined ? '' : name) ?? ''
    return option === undefined ? new RegExp(`^  ${name}\\b`, 'm').test(help) : help.includes(option)
  }
}

/** What is built in everybody's store is noted, and removed at the end. */
function noting(builder: Builder, left: Set<string>): Builder {
  return {
    ...builder,
    build: request => {
      left.add(request.tag)
      return builder.build(request)
    },
  }
}

async function makeBed(folder: string, found: readonly Builder[]): Promise<Bed> {
  const left = new Set([resultTag, testBaseName])
  const peers = found.map(builder => noting(builder, left))
  const slipway = slipwayBuilder(join(folder, 'store'))
  const archive = join(folder, 'base.tar')
  const busybox = findBusybox()
  writeFileSync(archive, testBaseArchive(busybox.bytes))
  writeFileSync(join(folder, 'busybox'), busybox.bytes, { mode: 0o755 })
  mkdirSync(join(folder, 'import'))
  copyFileSync(archive, join(folder, 'import/base.tar'))
  writeFileSync(join(folder, 'import/import.Dockerfile'), 'FROM scratch\nADD base.tar /\n')
  for (const builder of [slipway, ...peers])
    for (const command of builder.importBase(archive, testBaseName, join(folder, 'import'))) await runPlain(command)
  return {
    folder,
    slipway,
    peers,
    registry: values.short ? undefined : await startRegistry(join(folder, 'registry')),
    base: testBaseName,
    dockerfile: (name, text) => {
      const path = join(folder, `${name}.Dockerfile`)
      writeFileSync(path, text)
      return path
    },
    left,
    run: runPlain,
    knows: await findKnown(),
  }
}

interface Tally {
  readonly wall: number[]
  readonly cpu: number[]
  memory: number
}

/** A warm-up by everyone that took longer than this (milliseconds) is followed by few counted rounds. */
const longRound = 20_000
const fewRounds = 3

/** All rounds of one row: the warm-up, the counted rounds, and one that looks at memory. */
async function runCase(each: Case, bed: Bed, rounds: number): Promise<CaseResult> {
  const tallies = new Map<Builder, Tally>()
  const failures: Record<string, string> = {}
  let counted = Math.min(rounds, each.mostRounds ?? rounds)
  const floors: number[] = []
  const warmUps = each.mostRounds === 1 ? 0 : 1
  let all = warmUps + counted + (each.memoryCounts ? 0 : 1)
  for (let round = 0; round < all; round++) {
    const start = performance.now()
    const isCounted = round >= warmUps && round < warmUps + counted
    const looks = each.memoryCounts || round >= warmUps + counted
    for (const builder of [bed.slipway, ...bed.peers]) {
      if (failures[builder.name] !== undefined) continue
      try {
        await each.before?.(builder, round)
        const command = each.command(builder, round)
        if (!command) continue
        const run = await measure(command, { daemons: builder.daemons, ...(looks && { sampleEvery: 20 }) })
        const tally = tallies.get(builder) ?? { wall: [], cpu: [], memory: 0 }
        tallies.set(builder, tally)
        count(tally, run, isCounted)
        if (builder === bed.slipway) await each.check?.(run, round)
      } catch (error) {
        // What slipway does wrong ends the run; a peer that fails has no figures.
        if (builder === bed.slipway) throw error
        failures[builder.name] = error instanceof Error ? error.message : String(error)
      }
    }
    if (each.floor && isCounted) floors.push(await floorTime(each.floor.commands))
    if (round === 0 && performance.now() - start > longRound && counted > fewRounds) {
      all -= counted - fewRounds
      counted = fewRounds
    }
  }
  const builders = Object.fromEntries(
    [...tallies]
      .filter(([builder]) => failures[builder.name] === undefined)
      .map(([builder, tally]): [string, Measured] => [builder.name, tally]),
  )
  const note = await each.note?.()
  return {
    id: each.id,
    title: each.title,
    builders,
    failures,
    ...(each.floor && { floor: { text: each.floor.text, seconds: median(floors) } }),
    ...(note !== undefined && { note }),
  }
}

function count(tally: Tally, run: Run, isCounted: boolean): void {
  if (isCounted) {
    tally.wall.push(run.wall)
    tally.cpu.push(run.cpu)
  }
  tally.memory = Math.max(tally.memory, run.memory)
}

async function floorTime(commands: readonly Command[]): Promise<number> {
  let sum = 0
  for (const command of commands) sum += (await measure(command)).wall
  return sum
}

type Rows = Pick<Results, 'cases' | 'skipped'>

/** `keep` gets all rows so far, after each. */
async function runScenarios(bed: Bed, keep: (rows: Rows) => void): Promise<Rows> {
  const cases: CaseResult[] = []
  const skipped: { id: string; reason: string }[] = []
  for (const scenario of wanted()) {
    const reason = scenario.missing?.(bed)
    if (reason !== undefined) {
      skipped.push({ id: scenario.id, reason })
      keep({ cases, skipped })
      say(`${scenario.id}: skipped, ${reason}`)
      continue
    }
    for (const each of await scenario.cases(bed)) {
      const result = await runCase(each, bed, Number(values.rounds))
      cases.push(result)
      keep({ cases, skipped })
      say(summary(result))
    }
  }
  return { cases, skipped }
}

function summary({ id, builders, failures, floor }: CaseResult): string {
  const figures = Object.entries(builders).map(([name, { wall, cpu, memory }]) => {
    const parts = [
      `${median(wall).toFixed(3)} s`,
      `cpu ${median(cpu).toFixed(3)} s`,
      `${(memory / 2 ** 20).toFixed(0)} MiB`,
    ]
    return `${name} ${parts.join(', ')}`
  })
  const failed = Object.entries(failures).map(([name, reason]) => `${name} failed: ${reason}`)
  const under = floor ? [`floor ${floor.seconds.toFixed(3)} s`] : []
  return `${id}: ${[...figures, ...under, ...failed].join('; ')}`
}

/** Mount points in a folder, the deepest first (proc_pid_mountinfo(5); a folder of ours has no character that is escaped there). */
function mountsBelow(path: string): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap(line => line.split(' ')[4] ?? [])
  return points.filter(point => point.startsWith(`${path}/`)).reverse()
}

/** Also after a signal: nothing stays on the machine. */
function cleanUp(): void {
  // First, for whoever still builds makes things that would be left.
  endRunning()
  bed?.registry?.[Symbol.dispose]()
  for (const builder of bed?.peers ?? []) {
    const command = builder.remove?.([...(bed?.left ?? [])])
    if (command) spawnSync(command.program, command.args, { stdio: 'ignore', env: { ...process.env, ...command.env } })
  }
  const mounts = mountsBelow(folder)
  if (mounts.length > 0) spawnSync('umount', ['--lazy', ...mounts], { stdio: 'ignore' })
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

function wantedPeers(): readonly Builder[] {
  if (values.short || values['slipway-only']) return []
  const found = findPeers(folder)
  if (values.peers === undefined) return found
  const named = values.peers.split(',')
  const missing = named.filter(name => !found.some(peer => peer.name.split(' ')[0] === name))
  if (missing.length > 0) throw new Error(`${missing.join(', ')}: not found on this machine`)
  return found.filter(peer => named.includes(peer.name.split(' ')[0] ?? ''))
}

const folder = mkdtempSync(join(values.scratch ?? tmpdir(), 'slipway-bench-'))
const peers = wantedPeers()
let bed: Bed | undefined
process.on('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

async function main(): Promise<void> {
  const machine = describeMachine(folder)
  bed = await makeBed(folder, peers)
  const builders = Object.fromEntries([bed.slipway, ...peers].map(({ name, version }) => [name, version]))
  const about = { machine, commit: commit(), rounds: Number(values.rounds), builders }
  const keep = (rows: Rows): void => {
    const results = { ...about, ...rows }
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
    if (values.write !== undefined) writeFileSync(values.write, performancePage(results))
  }
  const results: Results = { ...about, ...(await runScenarios(bed, keep)) }
  const tables = peers.length > 0 ? [wallTable(results), usageTable(results)] : []
  process.stdout.write(`${[...tables, ownTable(results)].join('\n\n')}\n`)
  say(`${own} ${builders[own] ?? ''}: all results are right`)
}

await main()
// Sockets of the registry are kept open for a while.
process.exit()
