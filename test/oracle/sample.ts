import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Difference, Expectation } from './expectation.ts'

export const samplesFolder = fileURLToPath(new URL('../samples', import.meta.url))

/** What `sample.json` may say. */
export interface SampleSettings {
  readonly about: string
  /** Checkboxes of the language page that this sample looks at. */
  readonly rules: readonly string[]
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly target?: string
  /** `prepare.sh` needs root: device nodes, owners, capabilities. */
  readonly needsRoot?: boolean
  /** The engine knows less than the specification: the expectation is written by hand. */
  readonly byHand?: string
  readonly differences?: readonly Difference[]
}

export interface Sample {
  readonly name: string
  readonly folder: string
  readonly settings: SampleSettings
  /** Some instruction runs a program. */
  readonly runs: boolean
}

export function listSamples(): Sample[] {
  return readdirSync(samplesFolder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => {
      const folder = join(samplesFolder, name)
      const settings = JSON.parse(readFileSync(join(folder, 'sample.json'), 'utf8')) as SampleSettings
      const text = readFileSync(dockerfileIn(folder), 'utf8')
      return { name, folder, settings, runs: /^\s*(onbuild\s+)?run\s/im.test(text) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function readExpectation(sample: Sample): Expectation {
  return JSON.parse(readFileSync(join(sample.folder, 'expected.json'), 'utf8')) as Expectation
}

/** A sample laid out for a build: its Dockerfile and its context with everything that a checkout cannot hold. */
export interface PreparedSample {
  readonly dockerfile: string
  readonly context: string
}

/** 2024-02-03T04:05:06Z: when every file of a context was last changed, unless `prepare.sh` says otherwise. */
const contextTime = 1_706_933_106

/** Copies a sample to `destination` (must not exist), sets modes and times, runs `prepare.sh` inside the context. */
export function prepareSample(sample: Sample, destination: string): PreparedSample {
  cpSync(sample.folder, destination, { recursive: true, verbatimSymlinks: true })
  const context = join(destination, 'context')
  mkdirSync(context, { recursive: true })
  visit(context, path => {
    const stat = lstatSync(path)
    if (stat.isDirectory()) chmodSync(path, 0o755)
    else if (stat.isFile()) chmodSync(path, (stat.mode & 0o100) === 0 ? 0o644 : 0o755)
  })
  const script = join(destination, 'prepare.sh')
  if (existsSync(script)) {
    const options = { cwd: context, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' } }
    execFileSync('sh', ['-euc', 'umask 022; . "$0"', script], { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  visit(context, path => {
    if (lstatSync(path).mtimeMs / 1000 > contextTime + 1e7) lutimesSync(path, contextTime, contextTime)
  })
  return { dockerfile: dockerfileIn(destination), context }
}

/** The arguments of `docker build` and `slipway build` alike, without output and context. */
export function buildArguments(sample: Sample, prepared: PreparedSample): string[] {
  const { buildArgs = {}, labels = {}, target } = sample.settings
  return [
    '--file',
    prepared.dockerfile,
    ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...(target === undefined ? [] : ['--target', target]),
  ]
}

/** A Dockerfile lies in the context, as in most projects, or beside it. */
function dockerfileIn(folder: string): string {
  const inside = join(folder, 'context', 'Dockerfile')
  return existsSync(inside) ? inside : join(folder, 'Dockerfile')
}

/** Children before their directory, links not followed; names are bytes. */
function visit(directory: string, act: (path: Buffer) => void): void {
  const walk = (path: Buffer): void => {
    if (lstatSync(path).isDirectory()) {
      const names = readdirSync(path, { encoding: 'buffer' })
      for (const name of names) walk(Buffer.concat([path, Buffer.from('/'), name]))
    }
    act(path)
  }
  walk(Buffer.from(directory))
}
