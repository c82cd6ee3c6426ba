import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '#diagnostics'
import { findProgram, hostSearchPath } from './host-tools.ts'
import { processStartTime } from './process-alive.ts'
import { runTool } from './run-tool.ts'

export interface AgentOptions {
  /** Files with private keys, absolute. */
  readonly keys: readonly string[]
  /** The caller's PATH. */
  readonly path: string | undefined
  readonly signal: AbortSignal
}

/** An ssh agent of our own; disposing ends it. */
export interface StartedAgent extends AsyncDisposable {
  readonly socket: string
}

/**
 * Starts the host's `ssh-agent` with keys from files. It ends with us, whatever ends us (after at most ten seconds).
 * Throws a `UserError` where OpenSSH is not installed, and for a key that cannot be used without a question.
 */
export async function startAgent({ keys, path, signal }: AgentOptions): Promise<StartedAgent> {
  const search = hostSearchPath(path)
  const program = findProgram('ssh-agent', search)
  const add = findProgram('ssh-add', search)
  if (program === undefined || add === undefined) {
    throw new UserError('key files for ssh need ssh-agent and ssh-add on this machine', {
      hint: 'install the package openssh-client, or name the socket of an agent',
    })
  }
  const directory = await mkdtemp(join(tmpdir(), 'slipway-agent-'))
  const socket = join(directory, 'agent')
  // The agent lives as long as this command, which ends when our end of its input is closed.
  const script = 'echo "$SSH_AGENT_PID"; exec cat >/dev/null'
  const child = spawn(program, ['-a', socket, '/bin/sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: search, LC_ALL: 'C' },
    detached: true,
  })
  const ended = once(child, 'close').catch(() => undefined)
  let agent: number | undefined
  const end = async (): Promise<void> => {
    if (agent !== undefined) await endProcess(agent)
    child.stdin.destroy()
    child.kill('SIGKILL')
    await ended
    await rm(directory, { recursive: true, force: true })
  }
  try {
    agent = await Promise.race([pidOf(child.stdout), ended.then(() => undefined)])
    if (agent === undefined)
      throw new UserError('ssh-agent did not start', { hint: 'start one, and use --ssh default' })
    for (const key of keys) await addKey(add, key, { socket, directory, signal })
    return { socket, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

/** The agent is no child of ours: it is asked to end, and looked after until it has. */
async function endProcess(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGTERM')
    for (let i = 0; i < 200 && isThere(pid); i++) await sleep(10)
    if (isThere(pid)) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

const isThere = (pid: number): boolean => processStartTime(pid) !== undefined

async function pidOf(output: NodeJS.ReadableStream): Promise<number | undefined> {
  let text = ''
  for await (const chunk of output) {
    text += (chunk as Buffer).toString()
    if (text.includes('\n')) break
  }
  return /^\d+\n/.test(text) ? Number.parseInt(text, 10) : undefined
}

async function addKey(
  program: string,
  key: string,
  { socket, directory, signal }: { readonly socket: string; readonly directory: string; readonly signal: AbortSignal },
): Promise<void> {
  const env = { SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never', HOME: '/nonexistent', LC_ALL: 'C' }
  const { status, stderr } = await runTool(program, { args: ['-q', '--', key], env, directory, signal })
  if (status === 0) return
  throw new UserError(`the ssh key ${key} cannot be used`, {
    hint: 'a key with a passphrase belongs into an agent: ssh-add KEY, then --ssh default',
    details: stderr.split('\n').filter(line => line.trim() !== ''),
  })
}
