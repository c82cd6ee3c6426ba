import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { findHostTools, findProgram, type HostTools } from './host-tools.ts'
import { planSandbox } from './plan-sandbox.ts'
import { runSandbox, type SandboxOptions, type SandboxResult } from './run-sandbox.ts'
import type { SandboxSpec } from './sandbox-spec.ts'

/**
 * What the tests of sandboxes share: a root file system, runs on it, and a look at processes. Its one test says whether
 * the ground is firm.
 */
export const path = process.env['PATH']
export const perl = findProgram('perl', '/usr/bin:/bin')
export let base = ''
/** A root file system of programs of this machine with their libraries. */
export let rootLayer = ''

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'sandbox-test-'))
  rootLayer = join(base, 'layer')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'lib', 'usr/bin', 'srv/in']) {
    mkdirSync(join(rootLayer, name), { recursive: true })
  }
  for (const name of ['sh', 'env', 'cat', 'id', 'ls', 'sleep', 'mknod', 'setsid', 'stat', 'nohup', 'mkdir'])
    copyProgram(name)
  if (perl !== undefined) copyProgram('perl')
  for (const name of ['hosts', 'resolv.conf', 'not-executable']) writeFileSync(join(rootLayer, 'etc', name), '')
  writeFileSync(join(rootLayer, 'bin/no-loader'), '#!/bin/nothing\n', { mode: 0o755 })
  symlinkSync('/etc', join(rootLayer, 'linked'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function copyProgram(name: string): void {
  const program = findProgram(name, '/usr/bin:/bin:/usr/sbin')
  if (program === undefined) throw new Error(`this machine has no ${name}`)
  copyFileSync(program, join(rootLayer, 'bin', name))
  for (const [library] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
    const target = library.endsWith(':') ? undefined : join(rootLayer, library)
    if (target === undefined || existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(library, target)
  }
}

export interface Run extends SandboxResult {
  readonly stdout: string
  readonly stderr: string
  readonly upper: string
}

export type RunOptions = Partial<SandboxSpec> &
  Partial<SandboxOptions> & {
    readonly lower?: readonly string[]
    readonly name?: string
    readonly host?: Partial<HostTools>
  }

/** A plain run of `script` on the root layer, with new directories. */
export function specFor(script: string, { lower, name = 'run-', ...more }: RunOptions): SandboxSpec {
  const directory = mkdtempSync(join(base, name))
  const at = (child: string): string => join(directory, child)
  for (const child of ['scratch', 'upper', 'work']) mkdirSync(at(child))
  return {
    root: { kind: 'overlay', lower: lower ?? [rootLayer], upper: at('upper'), work: at('work') },
    mounts: [],
    argv: ['sh', '-c', script],
    env: ['PATH=/bin'],
    workdir: '/',
    user: { uid: 0, gid: 0, groups: [] },
    hostname: 'buildkitsandbox',
    network: 'host',
    privileges: 'sandbox',
    hosts: '127.0.0.1 here\n',
    resolvConf: 'nameserver 192.0.2.1\n',
    scratch: at('scratch'),
    stdio: 'pipe',
    ...more,
  }
}

/** Runs it here and collects the output. */
export async function run(
  script: string,
  { signal, endSignal, onOutput, host, ...more }: RunOptions = {},
): Promise<Run> {
  const spec = specFor(script, more)
  const output = { stdout: '', stderr: '' }
  const collect: SandboxOptions['onOutput'] = (stream, chunk) => {
    output[stream] += Buffer.from(chunk).toString()
    onOutput?.(stream, chunk)
  }
  const options = { onOutput: collect, ...(signal && { signal }), ...(endSignal && { endSignal }) }
  const result = await runSandbox(planSandbox(spec, { ...findHostTools(path), ...host }), options)
  return { ...result, ...output, upper: join(dirname(spec.scratch), 'upper') }
}

/** A program for node that runs it, so that it can be started and killed as a process. */
export function programFor(spec: SandboxSpec): string {
  const program = join(dirname(spec.scratch), 'program.ts')
  const module = fileURLToPath(new URL('./index.ts', import.meta.url))
  writeFileSync(
    program,
    `import { findHostTools, planSandbox, runSandbox } from ${JSON.stringify(module)}
    const plan = planSandbox(${JSON.stringify(spec)}, findHostTools(process.env.PATH))
    const { exitCode } = await runSandbox(plan, { onOutput: (_, chunk) => void process.stdout.write(chunk) })
    process.exitCode = exitCode`,
  )
  return program
}
export const nodeArguments = ['--conditions=slipway-source']

/** The `UserError` with which it ends. */
export const error = async (running: Promise<unknown>): Promise<UserError> => {
  const thrown = await running.then(
    value => expect.unreachable(`no error but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(thrown).toBeInstanceOf(UserError)
  return thrown as UserError
}

/** Ids of processes that have the number `mark` in their arguments, not as a part of another one, or of a name. */
export function processesWith(mark: string): string[] {
  const marked = new RegExp(`(?<![\\w:-])${mark}(?!\\w)`)
  return readdirSync('/proc').filter(id => {
    try {
      return /^\d+$/.test(id) && marked.test(readFileSync(`/proc/${id}/cmdline`, 'latin1'))
    } catch {
      return false
    }
  })
}

/** Waits for a condition; throws after the time. */
export async function until(condition: () => boolean, milliseconds = 60_000): Promise<void> {
  for (const end = Date.now() + milliseconds; !condition(); await new Promise(resolve => setTimeout(resolve, 10))) {
    if (Date.now() > end) throw new Error('waited too long')
  }
}

export const asRoot = process.getuid?.() === 0

/** Name of the program that a process runs. */
export function comm(id: string): string {
  try {
    return readFileSync(`/proc/${id}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

test('the programs of the test root run there', () => {
  const argv = ['chroot', rootLayer, '/bin/sh', '-c', 'cd /etc && ls hosts']
  if (asRoot)
    expect(
      spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8', env: { PATH: '/bin:/usr/sbin:/usr/bin' } }).stdout,
    ).toBe('hosts\n')
  else expect(existsSync(join(rootLayer, 'bin/sh'))).toBe(true)
})
