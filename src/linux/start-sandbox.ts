import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { SandboxPlan } from './plan-sandbox.ts'
import { lifelineFd, statusFd } from './sandbox-script.ts'
import { signalName } from './signal-names.ts'
import { type ProcessEnd, type Vfork, vfork } from './vfork.ts'

export interface SandboxEnd {
  /** 128 + n for signal n. */
  readonly exitCode: number
  readonly signal?: NodeJS.Signals
}

/** The first process of a planned sandbox. */
export interface SandboxProcess {
  /** Undefined when it could not be started; `ended` says why. */
  readonly pid: number | undefined
  /** The status channel. */
  readonly status: Socket
  /** Its end was seen, and its id may be another's. */
  readonly isOver: () => boolean
  /** After the end of the process and of the status channel. */
  readonly ended: Promise<SandboxEnd>
}

/** Starts it at once. `outputs`: for standard output and standard error; none with inherited streams. */
export function startSandbox(plan: SandboxPlan, outputs: readonly number[]): SandboxProcess {
  const [output, error] = outputs
  const calls = plan.keeper === undefined || output === undefined ? undefined : vfork()
  if (calls === undefined || output === undefined || error === undefined) return startByNode(plan, outputs)
  return startByVfork(calls, plan, { output, error })
}

/** Where a terminal is handed on, the sandbox has a keeper of its own, or the C library is old. */
function startByNode(plan: SandboxPlan, outputs: readonly number[]): SandboxProcess {
  const [file = '', ...args] = plan.argv
  const [stdin, stdout, stderr] = plan.stdio === 'pipe' ? (['ignore', ...outputs] as const) : ([0, 1, 2] as const)
  const child = spawn(file, args, {
    cwd: plan.cwd,
    env: { ...plan.env },
    stdio: [stdin, stdout, 'pipe', stderr, ...(plan.keeper === undefined ? (['pipe'] as const) : [])],
    // Its own session: Ctrl-C on the terminal reaches us only, and we end the command in order.
    detached: plan.stdio === 'pipe',
  })
  const lifeline = child.stdio[lifelineFd] as Socket | undefined
  lifeline?.on('error', () => {}).resume()
  return {
    pid: child.pid,
    status: child.stdio[statusFd] as Socket,
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) =>
        resolve(endOf(signal === null ? { code: code ?? 0 } : { signal: constants.signals[signal] })),
      )
    }),
  }
}

function startByVfork(
  calls: Vfork,
  plan: SandboxPlan,
  { output, error }: { readonly output: number; readonly error: number },
): SandboxProcess {
  const [ours, theirs] = calls.socketPair()
  const input = openSync('/dev/null', 'r')
  const status = new Socket({ fd: ours, readable: true, writable: true })
  let pid: number
  try {
    pid = calls.start({
      file: plan.argv[0] ?? '',
      argv: plan.argv,
      env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
      cwd: plan.cwd,
      files: [input, output, theirs, error],
    })
  } catch (cause) {
    status.destroy()
    throw cause
  } finally {
    closeSync(input)
    closeSync(theirs)
  }
  let isOver = false
  const ended = new Promise<SandboxEnd>((resolve, reject) => {
    // The channel ends with its last holder, which is the process itself, a moment before it can be reaped.
    const reap = (): void => {
      try {
        const end = calls.reap(pid)
        if (end === undefined) return void setTimeout(reap, 1)
        isOver = true
        resolve(endOf(end))
      } catch (cause) {
        reject(cause as Error)
      }
    }
    status.once('close', reap)
  })
  return { pid, status, isOver: () => isOver, ended }
}

function endOf(end: ProcessEnd): SandboxEnd {
  if ('code' in end) return { exitCode: end.code }
  const signal = signalName(end.signal)
  return { exitCode: 128 + end.signal, ...(signal !== undefined && { signal }) }
}
