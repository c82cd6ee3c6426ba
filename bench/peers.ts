// `npm run bench [-- --rounds N]`: the same builds with slipway and with every peer that this machine has (a Docker engine
// with BuildKit, buildah), alternating in one run; prints medians of the wall time and ratios as a Markdown table. Only
// ratios within one run mean something: machines are noisy.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBusybox, testBaseArchive, testBaseName } from '../test/oracle/test-base.ts'

const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1] || 5)
const scratch = mkdtempSync(join(tmpdir(), 'slipway-bench-'))

interface Builder {
  readonly name: string
  readonly build: (dockerfile: string, context: string, cached: boolean) => void
}

interface Scenario {
  readonly name: string
  readonly dockerfile: string
  readonly context: string
  readonly cached: boolean
  /** Run before each timed build. */
  readonly before?: (round: number) => void
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status, stderr } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${String(stderr)}`)
}

const slipwayEnv = { SLIPWAY_ROOT: join(scratch, 'store') }
const slipway: Builder = {
  name: 'slipway',
  build: (dockerfile, context, cached) =>
    run(
      process.execPath,
      [
        executable,
        'build',
        '--progress',
        'quiet',
        ...(cached ? [] : ['--no-cache']),
        '-t',
        'bench',
        '-f',
        dockerfile,
        context,
      ],
      slipwayEnv,
    ),
}
const docker: Builder = {
  name: 'docker (BuildKit)',
  build: (dockerfile, context, cached) =>
    run(
      dockerCommand,
      ['build', '-q', ...(cached ? [] : ['--no-cache']), '-t', 'slipway-bench', '-f', dockerfile, context],
      { DOCKER_BUILDKIT: '1' },
    ),
}
const buildah: Builder = {
  name: 'buildah',
  build: (dockerfile, context, cached) =>
    run('buildah', [
      'bud',
      '-q',
      '--layers',
      ...(cached ? [] : ['--no-cache']),
      '--pull-never',
      '-t',
      'slipway-bench',
      '-f',
      dockerfile,
      context,
    ]),
}
const dockerCommand = process.env['DOCKER'] ?? 'docker'

function answers(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** Gives the base image to everyone who takes part. */
function takePart(): Builder[] {
  const base = join(scratch, 'base.tar')
  writeFileSync(base, testBaseArchive(findBusybox().bytes))
  run(process.execPath, [executable, 'import', base, testBaseName], slipwayEnv)
  const builders = [slipway]
  if (answers(dockerCommand, 'info')) {
    run(dockerCommand, ['import', base, testBaseName])
    builders.push(docker)
  }
  if (process.getuid?.() === 0 && answers('buildah', 'images')) {
    // buildah has no import: an image FROM scratch with the archive unpacked is the same.
    const dockerfile = join(scratch, 'base.Dockerfile')
    writeFileSync(dockerfile, 'FROM scratch\nADD base.tar /\n')
    run('buildah', ['bud', '-q', '-t', testBaseName, '-f', dockerfile, scratch])
    builders.push(buildah)
  }
  return builders
}

function makeFiles(folder: string, count: number): void {
  let seed = Buffer.alloc(32)
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `d${i % 200}`)
    if (i < 200) mkdirSync(directory, { recursive: true })
    seed = createHash('sha256').update(seed).digest()
    writeFileSync(join(directory, `f${i}`), Buffer.alloc(2000 + (seed.readUInt16LE(0) % 6000), seed))
  }
}

function scenarios(): Scenario[] {
  const empty = join(scratch, 'empty')
  const many = join(scratch, 'many')
  mkdirSync(empty)
  makeFiles(many, 20_000)
  writeFileSync(join(empty, 'program'), Buffer.alloc(1 << 20, 'x'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(scratch, name), text)
    return join(scratch, name)
  }
  const base = `FROM ${testBaseName}\n`
  const two = file(
    'S1',
    `${base.replace('\n', ' AS build')}\nCOPY program /out/program\nRUN cp /out/program /out/copy\nFROM scratch\nCOPY --from=build /out /\n`,
  )
  const ten = file('S2', base + Array.from({ length: 10 }, (_, i) => `RUN echo ${i}\n`).join(''))
  const copy = file('S3', 'FROM scratch\nCOPY . /files\n')
  const binary = file('S8', 'FROM scratch\nCOPY program /program\n')
  return [
    { name: 'S1 two stages, fully cached', dockerfile: two, context: empty, cached: true },
    { name: 'S2 ten RUN, no cache', dockerfile: ten, context: empty, cached: false },
    { name: 'S3a COPY of 20,000 files, no cache', dockerfile: copy, context: many, cached: false },
    { name: 'S3b the same, nothing changed', dockerfile: copy, context: many, cached: true },
    {
      name: 'S3c the same, one file changed',
      dockerfile: copy,
      context: many,
      cached: true,
      before: round => appendFileSync(join(many, 'd1/f1'), String(round)),
    },
    { name: 'S8 FROM scratch and one file, no cache', dockerfile: binary, context: empty, cached: false },
  ]
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function measure(scenario: Scenario, builders: readonly Builder[]): Map<Builder, number> {
  const times = new Map(builders.map(builder => [builder, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const builder of builders) {
      // Each builder sees a change of its own.
      scenario.before?.(round * builders.length + builders.indexOf(builder))
      const start = performance.now()
      builder.build(scenario.dockerfile, scenario.context, scenario.cached)
      if (round > 0) times.get(builder)?.push((performance.now() - start) / 1000)
    }
  }
  return new Map([...times].map(([builder, all]) => [builder, median(all)]))
}

try {
  const builders = takePart()
  console.log(
    `| scenario | ${builders.map(({ name }) => `${name}, s`).join(' | ')} | ${builders
      .slice(1)
      .map(({ name }) => `ratio to ${name}`)
      .join(' | ')} |`,
  )
  console.log(`|---|${'---|'.repeat(2 * builders.length - 1)}`)
  for (const scenario of scenarios()) {
    const result = measure(scenario, builders)
    const own = result.get(slipway) ?? Number.NaN
    const cells = builders.map(builder => (result.get(builder) ?? Number.NaN).toFixed(2))
    const ratios = builders.slice(1).map(builder => (own / (result.get(builder) ?? Number.NaN)).toFixed(2))
    console.log(`| ${[scenario.name, ...cells, ...ratios].join(' | ')} |`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
