import { spawn } from 'node:child_process'

/** One run of a host's program, to its end. */
export interface ToolRun {
  readonly args: readonly string[]
  /** The whole environment: nothing of ours is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute. */
  readonly directory: string
  readonly signal: AbortSignal
  /** For its standard input, which is empty otherwise. */
  readonly input?: string
  /** Bytes of standard output to keep; more end the program. Default 16 MiB. */
  readonly limit?: number
}

export interface ToolResult {
  /** Exit code, or the name of the signal that ended it. */
  readonly status: number | string
  /** UTF-8. */
  readonly stdout: string
  /** The end of it, at most 16 KiB. */
  readonly stderr: string
}

const complaintLimit = 16 << 10
const outputLimit = 16 << 20

/**
 * Runs a program of the host (absolute path) and waits for it. It has no standard input but what is given and no terminal, so that it
 * cannot ask anybody, and its own process group, which ends with it: also when the signal aborts (then the signal's
 * reason is thrown). A status other than 0 is the caller's to judge; a program that cannot be started is thrown.
 */
export async function runTool(program: string, run: ToolRun): Promise<ToolResult> {
  run.signal.throwIfAborted()
  const child = spawn(program, run.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: run.env,
    cwd: run.directory,
    // A session of its own has no controlling terminal.
    detached: true,
  })
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  run.signal.addEventListener('abort', end, { once: true })
  const limit = run.limit ?? outputLimit
  const output: Buffer[] = []
  let size = 0
  let stderr = ''
  // A program that reads nothing may have ended before it was written.
  child.stdin.on('error', () => undefined).end(run.input ?? '')
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > limit) end()
    else output.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-complaintLimit)
  })
  try {
    const status = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'no status'))
    })
    run.signal.throwIfAborted()
    if (size > limit) throw new Error(`${program} printed more than ${limit} bytes`)
    return { status, stdout: Buffer.concat(output).toString('utf8'), stderr: stderr.trim() }
  } finally {
    run.signal.removeEventListener('abort', end)
    end()
  }
}
