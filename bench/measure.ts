import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import koffi from 'koffi'

/** A command as data. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What one run of a command took. */
export interface Run {
  /** Wall time in seconds. */
  readonly wall: number
  /** Processor time of the command, all it started, and what the daemon did meanwhile; seconds. */
  readonly cpu: number
  /** Highest sum of resident memory of all these processes, in bytes; 0 where nobody looked. */
  readonly memory: number
  readonly stdout: string
}

export interface MeasureOptions {
  /** Names of programs that work for the command without being its children: a daemon and what it started. */
  readonly daemons?: readonly string[]
  /** Looks at memory every so many milliseconds. Looking takes time itself: such runs are not for the clock. */
  readonly sampleEvery?: number
}

const running = new Set<ChildProcess>()

/** Ends what is being measured and waits for that, at most some seconds; for a run that is ended itself. */
export function endRunning(): void {
  const groups = [...running].flatMap(({ pid }) => pid ?? [])
  for (const group of groups) signalGroup(group, 'SIGTERM')
  const clock = new Int32Array(new SharedArrayBuffer(4))
  const isRunning = (): boolean => processes().some(({ group, state }) => state !== 'Z' && groups.includes(group))
  for (let tries = 0; tries < 100 && isRunning(); tries++) Atomics.wait(clock, 0, 0, 50)
  for (const group of groups) signalGroup(group, 'SIGKILL')
}

function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal)
  } catch {
    // It ended just now.
  }
}

/** Runs a command to its end. Throws with what it wrote when its exit code is not 0. */
export async function measure(command: Command, options: MeasureOptions = {}): Promise<Run> {
  const daemons = options.daemons ?? []
  const before = { children: childrenTime(), daemons: daemonTime(daemons) }
  const start = performance.now()
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: with the command ends what it started, too.
    detached: true,
  })
  running.add(child)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
  let memory = 0
  const sample = (): void => {
    memory = Math.max(memory, treeMemory(child.pid ?? 0, daemons))
  }
  const timer = options.sampleEvery === undefined ? undefined : setInterval(sample, options.sampleEvery)
  let ended = 0
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => (ended = performance.now()))
    child.on('close', resolve)
  }).finally(() => {
    clearInterval(timer)
    running.delete(child)
  })
  const stdout = Buffer.concat(out).toString()
  if (code !== 0) {
    const words = [command.program, ...command.args].join(' ')
    throw new Error(`${words}: exit code ${code}\n${stdout}${Buffer.concat(err).toString()}`)
  }
  const cpu = childrenTime() - before.children + (daemonTime(daemons) - before.daemons)
  return { wall: (ended - start) / 1000, cpu, memory, stdout }
}

const getrusage = koffi.load(null).func('int getrusage(int who, void *usage)')
const children = -1

/** Seconds of processor time of all ended children and theirs (getrusage(2): ru_utime and ru_stime come first). */
function childrenTime(): number {
  const usage = Buffer.alloc(256)
  if (getrusage(children, usage) !== 0) throw new Error('getrusage failed')
  const seconds = (at: number): number => Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6
  return seconds(0) + seconds(16)
}

interface Process {
  readonly pid: number
  readonly parent: number
  /** Process group. */
  readonly group: number
  /** One letter; Z has ended, and nobody asked yet how. */
  readonly state: string
  readonly name: string
  /** Seconds, of ended children too. */
  readonly cpu: number
  /** Bytes. */
  readonly resident: number
  /** Address where its stack begins: random for every program that is executed; 0 where it is none of our business. */
  readonly stack: string
}

const ticks = 100
const pageSize = 4096

/** Fields of /proc/PID/stat (proc_pid_stat(5)); undefined when the process is gone. */
function readProcess(pid: string): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const number = (field: number): number => Number(fields[field - 3])
    const cpu = (number(14) + number(15) + number(16) + number(17)) / ticks
    const [state = ''] = fields
    const resident = number(24) * pageSize
    return {
      pid: Number(pid),
      parent: number(4),
      group: number(5),
      state,
      name,
      cpu,
      resident,
      stack: fields[25] ?? '',
    }
  } catch {
    return undefined
  }
}

function processes(): Process[] {
  return readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? (readProcess(name) ?? []) : []))
}

/** Below the processes for which `isRoot` holds, themselves included. */
function treeBelow(all: readonly Process[], isRoot: (process: Process) => boolean): Process[] {
  const byParent = Map.groupBy(all, each => each.parent)
  const found = new Map<number, Process>()
  const visit = (each: Process): void => {
    if (found.has(each.pid)) return
    found.set(each.pid, each)
    for (const child of byParent.get(each.pid) ?? []) visit(child)
  }
  for (const each of all) if (isRoot(each)) visit(each)
  return [...found.values()]
}

function daemonTime(daemons: readonly string[]): number {
  if (daemons.length === 0) return 0
  return treeBelow(processes(), each => daemons.includes(each.name)).reduce((sum, each) => sum + each.cpu, 0)
}

function treeMemory(pid: number, daemons: readonly string[]): number {
  const tree = treeBelow(processes(), each => each.pid === pid || daemons.includes(each.name))
  const byId = new Map(tree.map(each => [each.pid, each]))
  // Until it executes a program, a child has its parent's memory, which counts once.
  const ownMemory = tree.filter(({ parent, stack }) => stack === '0' || byId.get(parent)?.stack !== stack)
  return ownMemory.reduce((sum, each) => sum + each.resident, 0)
}
