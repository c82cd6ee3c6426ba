import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { HostTools } from './host-tools.ts'
import { check, libc } from './libc.ts'
import { vfork } from './vfork.ts'

/**
 * The pid namespace in which the sandboxes of this process stand. Its first process, the keeper, waits for the end of
 * its lifeline: when our process is gone, whatever ended it, the keeper ends, and the kernel kills everything that is
 * left in the namespace and in those inside it.
 *
 * The parent-death signal alone would not do: the kernel forgets it as soon as a process changes its user.
 */
export interface Keeper {
  /** Calls what starts processes at once: they begin inside the namespace, as our children. */
  readonly inside: <T>(start: () => T) => T
}

/** How to start a keeper: data, as a plan has it. */
export interface KeeperCommand {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const script = `
trap '' HUP INT TERM QUIT
echo ready >&2
exec 2>/dev/null
read -r _ <&3
`

export function keeperCommand(host: Pick<HostTools, 'unshare' | 'sh' | 'path'>): KeeperCommand {
  return {
    argv: [host.unshare, '--pid', '--fork', '--kill-child', '--', host.sh, '-c', script, 'keeper'],
    env: { PATH: host.path, LC_ALL: 'C' },
  }
}

/** Starts what the first sandbox would otherwise wait for. It tells what is wrong, if anything is. */
export function prepareSandboxes(host: HostTools): void {
  if (host.sharedKeeper) openKeeper(keeperCommand(host)).catch(() => {})
}

/** What a keeper said when there could be none: the lines of the programs that failed. */
export class KeeperError extends Error {
  readonly messages: readonly string[]
  constructor(messages: readonly string[]) {
    super(messages.join('\n'))
    this.messages = messages
  }
}

const running = new Map<string, Promise<Keeper>>()

/** The keeper of this process, which lives as long as we do; started by the first call. Throws a `KeeperError`. */
export function openKeeper(command: KeeperCommand): Promise<Keeper> {
  const key = JSON.stringify(command)
  const known = running.get(key)
  if (known !== undefined) return known
  const started = startKeeper(command, () => running.delete(key))
  running.set(key, started)
  started.catch(() => running.delete(key))
  return started
}

const statusFd = 2
const lifelineFd = 3

async function startKeeper({ argv: [file = '', ...args], env }: KeeperCommand, onEnd: () => void): Promise<Keeper> {
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // Nobody waits for it, and signals of the terminal are not for it.
    detached: true,
  })
  await ready(child)
  const [own, kept] = [openSync('/proc/self/ns/pid', 'r'), openSync(`/proc/${child.pid}/ns/pid_for_children`, 'r')]
  const end = (): void => endNow(child)
  process.once('exit', end)
  child.once('exit', () => {
    process.off('exit', end)
    onEnd()
    closeSync(own)
    closeSync(kept)
  })
  return {
    inside: start => {
      enter(kept)
      try {
        return start()
      } finally {
        enter(own)
      }
    },
  }
}

/** Milliseconds that our end may wait for the keeper's. */
const patience = 500

/**
 * Ends the keeper and takes its exit code: left alone it would end a moment after us, and who ran us in a container, whose first
 * process does not look after orphans, would keep a dead process for each build.
 */
function endNow(child: ChildProcess): void {
  const calls = vfork()
  if (child.pid === undefined || calls === undefined) return
  ;(child.stdio[lifelineFd] as Socket).destroy()
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  try {
    for (let waited = 0; waited < patience && calls.reap(child.pid) === undefined; waited++) {
      Atomics.wait(nothing, 0, 0, 1)
    }
  } catch {
    // Node has its exit code already.
  }
}

/** Whether we may enter the pid namespace that we are in, and so come back from another one. */
export function canComeBack(): boolean {
  try {
    const own = openSync('/proc/self/ns/pid', 'r')
    try {
      return libc().setns(own, newPidNamespace) === 0
    } finally {
      closeSync(own)
    }
  } catch {
    // A machine for which there is no foreign function interface.
    return false
  }
}

const newPidNamespace = 0x2000_0000

/** For children of this thread only; and where it is not our own, no thread can be started. */
function enter(namespace: number): void {
  check(libc().setns(namespace, newPidNamespace), 'setns')
}

/** Waits for the keeper's word. From then on it keeps nobody from ending. */
function ready(child: ChildProcess): Promise<void> {
  const [status, lifeline] = [statusFd, lifelineFd].map(fd => child.stdio[fd] as Socket)
  let text = ''
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new KeeperError(text.trim().split('\n'))))
    lifeline?.on('error', () => {})
    status?.on('error', () => {})
    status?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.endsWith('ready\n')) return
      for (const each of [child, status, lifeline]) each?.unref()
      resolve()
    })
  })
}
