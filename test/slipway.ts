import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBusybox, testBaseArchive, testBaseName } from './oracle/test-base.ts'

/** The executable as a user starts it. */
export const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  /** What it wrote to standard error so far. */
  readonly stderr: () => string
  readonly ended: Promise<Ended>
}

export interface SlipwayOptions {
  /** State directory; every test has its own. */
  readonly root: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Goes to standard input, which is empty otherwise. */
  readonly input?: Buffer | string
  /** Program and arguments to put in front of the command, such as `setpriv`. */
  readonly prefix?: readonly string[]
}

/** Ids of the processes that were started with a state directory. */
const startedWith = new Map<string, number[]>()

/** Starts the command line in a process group of its own. */
export function startSlipway(args: readonly string[], options: SlipwayOptions): Started {
  const [program, ...rest] = [...(options.prefix ?? []), process.execPath, executable, ...args]
  const child = spawn(program ?? '', rest, {
    cwd: options.cwd ?? options.root,
    env: environment(options),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  if (child.pid !== undefined) startedWith.set(options.root, [...(startedWith.get(options.root) ?? []), child.pid])
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8')
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout: text(out), stderr: text(err) }))
  })
  return { child, stderr: () => text(err), ended }
}

/** Runs a command line to its end. */
export async function slipway(args: readonly string[], options: SlipwayOptions): Promise<Ended> {
  return startSlipway(args, options).ended
}

/** The same, but anything else than exit code 0 is an error that shows what was written. */
export async function slipwayOk(args: readonly string[], options: SlipwayOptions): Promise<Ended> {
  const result = await slipway(args, options)
  if (result.code !== 0) {
    throw new Error(`slipway ${args.join(' ')}: ${result.signal ?? `exit code ${result.code}`}\n${result.stderr}`)
  }
  return result
}

/** Brings the samples' base image into the store at `root`. Gives the archive; `runs` says whether RUN can work in it. */
export async function importTestBase(root: string): Promise<{ archive: Buffer; runs: boolean }> {
  const busybox = findBusybox()
  const archive = testBaseArchive(busybox.bytes)
  const path = join(root, 'test-base.tar')
  await writeFile(path, archive)
  await slipwayOk(['import', path, testBaseName], { root })
  return { archive, runs: busybox.runs }
}

/** Only what is said here: no settings of the person who runs the tests. */
function environment(options: SlipwayOptions): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: options.root,
    TMPDIR: options.root,
    SLIPWAY_ROOT: join(options.root, 'state'),
    ...options.env,
  }
}

/**
 * What a build may leave behind nowhere: mounts, processes, and temporary files, on the disk and in main memory, that belong to the
 * state directory or to a process that was started with it.
 */
export interface Leftovers {
  readonly mounts: readonly string[]
  readonly processes: readonly string[]
  readonly temporaries: readonly string[]
}

export function leftovers(root: string): Leftovers {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap(line => line.split(' ')[4] ?? [])
    .filter(point => point.startsWith(`${root}/`))
  return { mounts, processes: processesOf(root), temporaries: temporariesOf(root) }
}

/** Processes whose environment or command line names the state directory. */
function processesOf(root: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
        const told = commandLine.includes(root) || readFileSync(`/proc/${pid}/environ`, 'latin1').includes(root)
        return told ? [`${pid} ${commandLine}`] : []
      } catch {
        return []
      }
    })
}

function temporariesOf(root: string): string[] {
  const kept = ['state/tmp', 'state/sessions'].flatMap(folder =>
    namesIn(join(root, folder)).map(name => `${folder}/${name}`),
  )
  const started = (startedWith.get(root) ?? []).map(pid => `slipway-${pid}-`)
  const inMemory = namesIn('/dev/shm').filter(name => started.some(start => name.startsWith(start)))
  return [...kept, ...inMemory.map(name => `/dev/shm/${name}`)]
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
