import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { forwardSignals } from './forward-signals.ts'
import { keepInheritedFiles } from './inherited-files.ts'
import { createLaunchFilter } from './launch-filter.ts'
import { mountsOfTopRoot, parseMountInfo } from './mount-info.ts'
import { countOomKills } from './oom-kills.ts'
import { openOutputPipe } from './output-pipe.ts'
import type { SandboxPlan } from './plan-sandbox.ts'
import { childrenOf, commandBelow, descendantsOf, sendSignal } from './process-tree.ts'
import { type Keeper, KeeperError, openKeeper } from './sandbox-keeper.ts'
import { signalName } from './signal-names.ts'
import { type SandboxEnd, type SandboxProcess, startSandbox } from './start-sandbox.ts'
import { usualUmask } from './usual-umask.ts'

export interface SandboxOptions {
  /** Output as it comes; not called with `stdio: 'inherit'`. Must not throw. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void
  /** Ends the command: `endSignal`, and after a grace SIGKILL to everything in the sandbox. */
  readonly signal?: AbortSignal
  /** What asks the command to end; default SIGTERM. */
  readonly endSignal?: NodeJS.Signals
  /** Between that signal and SIGKILL; default 500. */
  readonly graceMilliseconds?: number
}

export interface SandboxResult {
  /** The command's exit code; 128 + n when signal n ended it. */
  readonly exitCode: number
  /** Name of the signal that ended the command itself, where it is known. */
  readonly signal?: string
  /** The command ended by SIGKILL and the kernel's out-of-memory killer was at work meanwhile. */
  readonly oomKilled: boolean
}

/** For commands that nobody misses: the steps of a build. */
const shortGrace = 500

/**
 * Runs a planned sandbox. Settles when nothing of it is left: no process, no mount. A command that fails is a result;
 * thrown are a `UserError` when the sandbox can't be set up or the program can't be started (exit code 127: not found,
 * 126: not executable; with inherited streams that is a result, and the message went to the terminal), and the abort
 * signal's reason after an abort. When our own process dies, even by SIGKILL,
 * everything in the sandbox dies with it.
 */
export async function runSandbox(plan: SandboxPlan, options: SandboxOptions): Promise<SandboxResult> {
  options.signal?.throwIfAborted()
  writeScratch(plan)
  keepInheritedFiles()
  const oomKillsBefore = countOomKills()
  const filter = createLaunchFilter(plan.launcher, chunk => options.onOutput('stderr', chunk))
  const inside = await keeperFor(plan)
  options.signal?.throwIfAborted()
  using pipes = openPipes(plan, [chunk => options.onOutput('stdout', chunk), filter.push])
  const child = inside(() => start(plan, pipes.fds))
  pipes.handOver()
  const status = watchStatus(child, plan)
  using _abort = endOnAbort(child, plan, { ...options, status })
  using _signals = plan.stdio === 'inherit' ? forwardSignals(name => signalCommand(child, plan, name)) : undefined
  const [end] = await Promise.all([child.ended, pipes.ended])
  const launchError = filter.end()
  options.signal?.throwIfAborted()
  if (!status.started) throw setupError([...status.messages, ...(launchError === undefined ? [] : [launchError])])
  const { exitCode, signal } = endOf(end, status.complaint)
  if (launchError !== undefined) throw startError(plan, launchError, exitCode)
  const oomKilled = exitCode === killed.exitCode && countOomKills() > oomKillsBefore
  return { exitCode, ...(signal && { signal }), oomKilled }
}

type Take = (chunk: Buffer) => void

/** Pipes for standard output and standard error; none with inherited streams. */
function openPipes({ scratch, stdio }: SandboxPlan, takers: readonly [Take, Take]) {
  const pipes = stdio === 'pipe' ? takers.map((take, i) => openOutputPipe(`${scratch}/output.${i}`, take)) : []
  return {
    fds: pipes.map(({ fd }) => fd),
    handOver: (): void => pipes.forEach(pipe => pipe.handOver()),
    ended: Promise.all(pipes.map(({ ended }) => ended)),
    [Symbol.dispose]: (): void => pipes.forEach(pipe => pipe[Symbol.dispose]()),
  }
}

function start(plan: SandboxPlan, outputs: readonly number[]): SandboxProcess {
  try {
    return startSandbox(plan, outputs)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'E2BIG') throw error
    throw new UserError('the command and its variables are too long for the kernel', {
      hint: 'at most 128 KiB a word and about 2 MiB in all: put the text into a file and run that',
      cause: error,
    })
  }
}

function writeScratch(plan: SandboxPlan): void {
  // All users of the sandbox see these.
  using _ = usualUmask()
  for (const path of plan.directories) mkdirSync(`${plan.scratch}/${path}`, { mode: 0o755 })
  for (const [path, text] of plan.files) writeFileSync(`${plan.scratch}/${path}`, text, { mode: 0o644 })
  for (const [path, target] of plan.links) symlinkSync(target, `${plan.scratch}/${path}`)
}

const killed: SandboxEnd = { exitCode: 137, signal: 'SIGKILL' }

interface Status {
  started: boolean
  /** unshare said something since the command started. */
  complaint: boolean
  /** What set-up programs wrote. */
  messages: string[]
}

/**
 * unshare ends as the command did, also by the same signal; with SIGKILL it fails to do so, complains, and returns 1. A
 * keeper's shell, in between, says "Segmentation fault" only when a signal ended what it waited for.
 */
function endOf(end: SandboxEnd, complaint: boolean): SandboxEnd {
  if (end.signal !== undefined || !complaint) return end
  if (end.exitCode === 1) return killed
  const signal = signalName(end.exitCode - 128)
  return signal === undefined ? end : { ...end, signal }
}

/** Reads the status channel and, once everything is mounted, checks and answers. */
function watchStatus(child: SandboxProcess, plan: SandboxPlan): Status {
  const status: Status = { started: false, complaint: false, messages: [] }
  const socket = child.status
  let rest = ''
  const onLine = (line: string): void => {
    if (line === 'mounted') {
      const problem = misplacedMount(child.pid, plan)
      if (problem !== undefined) status.messages.push(problem)
      socket.write(problem === undefined ? 'go\n' : 'no\n')
    } else if (line === 'started') status.started = true
    else if (status.started) status.complaint = true
    else if (status.messages.length < 50) status.messages.push(withoutLauncher(line, plan))
  }
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(0, 4096)
    for (const line of lines) onLine(line)
  })
  // The other end may be gone before we notice; how the child ended says everything.
  socket.on('error', () => {})
  return status
}

function withoutLauncher(line: string, { launcher }: SandboxPlan): string {
  return line.startsWith(launcher) ? line.replace(/^\S+: /, '') : line
}

/**
 * The kernel's word that every mount is where the plan wants it. A symbolic link on the way, or one that somebody puts
 * there at the last moment, would have put it somewhere on the host's side, in front of the tools that run next.
 */
function misplacedMount(pid: number | undefined, plan: SandboxPlan): string | undefined {
  const inside = mountsOfTopRoot(parseMountInfo(mountTableOf(pid)))
  const missing = plan.mountPoints.find(point => !inside.has(point || '/'))
  return missing === undefined
    ? undefined
    : `the mount on ${missing || '/'} is not where it should be: is there a symbolic link on the way?`
}

/** Empty when the process ends just now. */
function mountTableOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  } catch {
    return ''
  }
}

function endOnAbort(
  child: SandboxProcess,
  plan: SandboxPlan,
  {
    status,
    signal,
    endSignal = 'SIGTERM',
    graceMilliseconds = shortGrace,
  }: Omit<SandboxOptions, 'onOutput'> & { readonly status: Status },
): Disposable {
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    signalCommand(child, plan, endSignal)
    timer = setTimeout(() => killAll(child), status.started ? graceMilliseconds : 0)
  }
  signal?.addEventListener('abort', end, { once: true })
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
    },
  }
}

/** The whole group gets them: it is in a session of its own, and unshare and the keeper do not end by them. */
const groupSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM'])
/** The group, too, but unshare would end. */
const jobSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGHUP', 'SIGQUIT'])

function signalCommand(child: SandboxProcess, plan: SandboxPlan, name: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined || child.isOver()) return
  // Its children, too: a shell that is the first process of its namespace ignores SIGTERM.
  if (plan.stdio === 'pipe' && groupSignals.has(name)) return sendSignal(-pid, name)
  const command = commandBelow(pid, plan.keeper === undefined)
  if (command === undefined) return
  sendSignal(command, name)
  if (plan.stdio === 'pipe' && jobSignals.has(name)) descendantsOf(command).forEach(id => sendSignal(id, name))
}

/** The kernel ends a pid namespace with its first process. */
function killAll(child: SandboxProcess): void {
  const { pid } = child
  if (pid === undefined || child.isOver()) return
  // While it stands still, no first process can begin unseen.
  sendSignal(pid, 'SIGSTOP')
  const first = childrenOf(pid)
  for (const id of first) sendSignal(id, 'SIGKILL')
  // unshare waits until nothing is left.
  sendSignal(pid, first.length > 0 ? 'SIGCONT' : 'SIGKILL')
}

/** Where to start: inside the namespace of the keeper that the plan wants. */
async function keeperFor({ keeper }: SandboxPlan): Promise<Keeper['inside']> {
  if (keeper === undefined) return start => start()
  try {
    return (await openKeeper(keeper)).inside
  } catch (error) {
    throw error instanceof KeeperError ? setupError(error.messages) : error
  }
}

function setupError(messages: readonly string[]): UserError {
  const text = messages.join('\n')
  const hint = /permission denied|not permitted/i.test(text)
    ? 'namespaces or mounts are forbidden here: run as root, or in a container with --privileged; see "slipway doctor"'
    : 'see "slipway doctor" for what this machine can do'
  return new UserError('the sandbox could not be set up', { hint, details: messages })
}

function startError(plan: SandboxPlan, message: string, code: number): UserError {
  const [program = ''] = plan.command
  if (code === 127) {
    return new UserError(`can't start "${program}": executable not found`, {
      hint: program.includes('/')
        ? 'the file, the interpreter in its #! line, or its dynamic loader does not exist in the image'
        : 'it is in no directory of PATH; or the interpreter in its #! line or its dynamic loader is missing',
      exitCode: 127,
    })
  }
  return new UserError(`can't start "${program}": ${message}`, {
    hint: /permission denied/i.test(message)
      ? 'is the file executable for this user (chmod +x)?'
      : 'is it a program for this architecture?',
    exitCode: 126,
  })
}
