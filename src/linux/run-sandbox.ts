import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { UserError } from '#diagnostics'
import { forwardSignals } from './forward-signals.ts'
import { keepInheritedFiles } from './inherited-files.ts'
import { createLaunchFilter } from './launch-filter.ts'
import { mountsOfTopRoot, parseMountInfo } from './mount-info.ts'
import { countOomKills } from './oom-kills.ts'
import { openOutputPipe } from './output-pipe.ts'
import type { SandboxPlan } from './plan-sandbox.ts'
import { innermostProcess, sendSignal } from './process-tree.ts'
import { lifelineFd, statusFd } from './sandbox-script.ts'
import { signalName } from './signal-names.ts'
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
  using pipes = openPipes(plan, [chunk => options.onOutput('stdout', chunk), filter.push])
  const child = start(plan, pipes.fds)
  pipes.handOver()
  const status = watchStatus(child, plan)
  using _abort = endOnAbort(child, plan, { ...options, status })
  using _signals = plan.stdio === 'inherit' ? forwardSignals(name => signalCommand(child, plan, name)) : undefined
  await Promise.all([ended(child), pipes.ended])
  const launchError = filter.end()
  options.signal?.throwIfAborted()
  if (!status.started) throw setupError([...status.messages, ...(launchError === undefined ? [] : [launchError])])
  const { exitCode, signal } = status.end ?? killed
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

function start(plan: SandboxPlan, outputs: readonly number[]): ChildProcess {
  const [file = '', ...args] = plan.argv
  const streams = plan.stdio === 'pipe' ? ['ignore' as const, ...outputs] : (['inherit', 'inherit', 'inherit'] as const)
  try {
    return spawn(file, args, {
      cwd: plan.cwd,
      env: { ...plan.env },
      stdio: [...streams, 'pipe', 'pipe'],
      // Its own session: Ctrl-C on the terminal reaches us only, and we end the command in order.
      detached: plan.stdio === 'pipe',
    })
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

/** After everything is gone: the process, and whoever could write to its streams. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
}

interface End {
  readonly exitCode: number
  readonly signal?: NodeJS.Signals
}

/** Also what happened when the keeper did not live to tell. */
const killed: End = { exitCode: 137, signal: 'SIGKILL' }

interface Status {
  started: boolean
  /** Of the command, as the keeper reports it. */
  end: End | undefined
  /** What set-up programs wrote. */
  messages: string[]
}

/**
 * The keeper's exit code, and whether somebody else spoke up on the status channel since the command started: the
 * keeper's shell says "Segmentation fault" only when a signal ended what it waited for; and unshare, which ends itself
 * by the signal that ended the command, fails to do so with SIGKILL, complains, and returns 1.
 */
function endOf(code: number, complaint: boolean): End {
  if (complaint && code === 1) return killed
  const signal = complaint ? signalName(code - 128) : undefined
  return signal === undefined ? { exitCode: code } : { exitCode: code, signal }
}

/** Reads the status channel and, once everything is mounted, checks and answers. */
function watchStatus(child: ChildProcess, plan: SandboxPlan): Status {
  const status: Status = { started: false, end: undefined, messages: [] }
  const socket = child.stdio[statusFd] as Socket
  const lifeline = child.stdio[lifelineFd] as Socket
  let rest = ''
  let complaint = false
  const onLine = (line: string): void => {
    if (line === 'mounted') {
      const problem = misplacedMount(child.pid, plan)
      if (problem !== undefined) status.messages.push(problem)
      socket.write(problem === undefined ? 'go\n' : 'no\n')
    } else if (line === 'started') status.started = true
    else if (line.startsWith('exit ')) status.end = endOf(Number(line.slice(5)), complaint)
    else if (status.started) complaint = true
    else if (status.messages.length < 50) status.messages.push(line)
  }
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(0, 4096)
    for (const line of lines) onLine(line)
  })
  // Both ends may be gone before we notice; how the child ended says everything.
  for (const stream of [socket, lifeline]) stream.on('error', () => {})
  lifeline.resume()
  return status
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
  child: ChildProcess,
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
    timer = setTimeout(
      () => {
        ;(child.stdio[lifelineFd] as Socket).destroy()
        // Should the watcher not be there any more: the keeper dies with its parent.
        timer = setTimeout(() => child.kill('SIGKILL'), 4 * shortGrace)
      },
      status.started ? graceMilliseconds : 0,
    )
  }
  signal?.addEventListener('abort', end, { once: true })
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
    },
  }
}

const groupSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'])

function signalCommand(child: ChildProcess, plan: SandboxPlan, name: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined) return
  // In its own session the whole group gets it: a shell that is the first process of its namespace ignores SIGTERM. The
  // keeper ignores those signals, too, and no other ones.
  const target = plan.stdio === 'pipe' && groupSignals.has(name) ? -pid : innermostProcess(pid)
  if (target !== undefined) sendSignal(target, name)
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
