import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Basis, compareWithExpectation, expectationOf } from '../oracle/expectation.ts'
import { type ArchivedImage, readDockerArchive, readOciArchive } from '../oracle/image-archive.ts'
import { slipway } from '../slipway.ts'
import { type BuildCase, layOutCase } from './build-case.ts'
import { compareRefusals } from './compare-refusals.ts'
import { different, type Known } from './known-differences.ts'

export interface Laboratory {
  /** Folder for contexts and results; the state directory of Slipway lies in it. */
  readonly root: string
  /** The command of the engine to compare with. */
  readonly docker: string
  readonly basis: Basis
}

/** What one builder made of a case. */
export type Outcome =
  | { readonly kind: 'image'; readonly image: ArchivedImage }
  | { readonly kind: 'refused'; readonly message: string }

export interface Verdict {
  /** `refused`: both builders say that there is a mistake, the same one; `unclear`: which one could not be told apart. */
  readonly kind: 'same' | 'refused' | 'different' | 'unclear'
  /** Of a refused case: what both say is wrong, and the line that Slipway points at. */
  readonly reason?: string
  readonly line?: number
  /** What nobody explained yet. */
  readonly lines: readonly string[]
  /** Explained differences. */
  readonly known: readonly Known[]
}

/** The command of an engine that builds; a client that is newer than its builder plugin cannot. DOCKER names another. */
export function findEngine(): string | undefined {
  const given = process.env['DOCKER']
  return (given === undefined ? ['docker', '/usr/bin/docker'] : [given]).find(command => {
    const options = { input: 'FROM scratch\nLABEL engine=1\n', env: { ...process.env, DOCKER_BUILDKIT: '1' } }
    return spawnSync(command, ['build', '--quiet', '-'], options).status === 0
  })
}

/** Builds a case with both builders and compares what they made. `place` must be unique while it runs. */
export async function compareCase(buildCase: BuildCase, place: string, laboratory: Laboratory): Promise<Verdict> {
  return compareRefusals(buildCase, async smaller => {
    const { ours, theirs } = await buildWithBoth(smaller, place, laboratory)
    if (ours.kind !== 'refused' || theirs.kind !== 'refused') return judge(smaller, ours, theirs, laboratory.basis)
    return { kind: 'refused', ours: ours.message, theirs: theirs.message }
  })
}

async function buildWithBoth(
  buildCase: BuildCase,
  place: string,
  laboratory: Laboratory,
): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }> {
  const folder = join(laboratory.root, place)
  try {
    const laid = layOutCase(buildCase, folder)
    const args = [
      '--file',
      laid.dockerfile,
      ...Object.entries(buildCase.buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ]
    const ours = await buildWithSlipway([...args, ...(buildCase.cached ? [] : ['--no-cache'])], laid.context, {
      laboratory,
      archive: join(folder, 'ours.tar'),
    })
    const theirs = await buildWithDocker(args, laid.context, { laboratory, tag: `slipway-test/conformance-${place}` })
    return { ours, theirs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function judge(buildCase: BuildCase, ours: Outcome, theirs: Outcome, basis: Basis): Verdict {
  const lines = differences(ours, theirs, basis)
  if (lines.length === 0) return { kind: 'same', lines: [], known: [] }
  return different(lines, buildCase)
}

function differences(ours: Outcome, theirs: Outcome, basis: Basis): string[] {
  if (ours.kind === 'refused')
    return [`Slipway refuses: ${ours.message}${theirs.kind === 'refused' ? '' : ' (the engine builds)'}`]
  if (theirs.kind === 'refused') return [`the engine refuses: ${theirs.message} (Slipway builds)`]
  return compareWithExpectation(ours.image, expectationOf(theirs.image, basis), [], basis)
}

async function buildWithSlipway(
  args: readonly string[],
  context: string,
  { laboratory, archive }: { readonly laboratory: Laboratory; readonly archive: string },
): Promise<Outcome> {
  const output = ['--progress', 'plain', '--output', `type=oci,dest=${archive}`]
  const ended = await slipway(['build', ...output, ...args, context], { root: laboratory.root })
  if (ended.code === 0) return { kind: 'image', image: readOciArchive(readFileSync(archive)) }
  if (ended.code !== 1 || /internal error/.test(ended.stderr))
    throw new Error(`slipway ended with ${ended.signal ?? ended.code}:\n${ended.stderr}`)
  return { kind: 'refused', message: ended.stderr.slice(Math.max(0, ended.stderr.search(/^error/m))).trim() }
}

async function buildWithDocker(
  args: readonly string[],
  context: string,
  { laboratory: { docker }, tag }: { readonly laboratory: Laboratory; readonly tag: string },
): Promise<Outcome> {
  const build = (): Promise<Ended> => run(docker, ['build', '--no-cache', '--quiet', '--tag', tag, ...args, context])
  let built = await build()
  // An equal image of another worker was removed at that moment.
  while (/failed to get digest|failed to get layer/.test(built.stderr)) built = await build()
  if (/cannot connect to the docker daemon|error reading from server|transport is closing/i.test(built.stderr))
    throw new Error(`the engine is gone: ${built.stderr}`)
  if (built.code !== 0) return { kind: 'refused', message: built.stderr.trim().split('\n').at(-1) ?? '' }
  try {
    const saved = await run(docker, ['save', tag])
    if (saved.code === 0) return { kind: 'image', image: readDockerArchive(saved.stdout) }
    // An image without layers cannot be saved.
    const inspected = await run(docker, ['image', 'inspect', '--format', '{{json .}}', tag])
    const seen = JSON.parse(inspected.stdout.toString()) as {
      RootFS: { Layers?: readonly string[] }
      [key: string]: unknown
    }
    if ((seen.RootFS.Layers ?? []).length > 0) throw new Error(`docker save ${tag}: ${saved.stderr}`)
    const history = await run(docker, ['history', '--no-trunc', '--format', '{{json .CreatedBy}}', tag])
    const entries = history.stdout
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .reverse()
    const config = {
      config: seen['Config'],
      author: seen['Author'],
      rootfs: { diff_ids: [] },
      history: entries.map(line => ({ created_by: JSON.parse(line) as string, empty_layer: true })),
    }
    return { kind: 'image', image: { config, layers: [] } }
  } finally {
    await run(docker, ['image', 'rm', '--force', tag])
  }
}

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

function run(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, {
    env: { ...process.env, DOCKER_BUILDKIT: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }))
  })
}
