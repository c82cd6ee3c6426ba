import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** How a program that filtered a stream ended when it did not end well. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  /** Exit code, or the name of a signal. */
  readonly status: number | string
  /** Its last lines on standard error. */
  readonly complaint: string

  constructor(program: string, status: number | string, complaint: string) {
    super(`${program} ended with ${status}: ${complaint}`)
    this.status = status
    this.complaint = complaint
  }
}

const complaintLimit = 4096

/**
 * The output of a host's program (absolute path) that gets `source` on standard input. Throws a `FilterError` when it
 * fails, and what the source throws. The program ends when the reader stops early.
 */
export async function* pipeThrough(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { LC_ALL: 'C' } })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-complaintLimit)
  })
  const exit = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'no status'))
  })
  // Awaited only below; a reader that stops early would leave the rejection alone.
  exit.catch(() => undefined)
  let sourceError: unknown
  const fed = pipeline(Readable.from(watch(source, error => (sourceError = error))), child.stdin).catch(() => undefined)
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer
    await fed
    if (sourceError !== undefined) throw sourceError as Error
    const status = await exit
    if (status !== 0) throw new FilterError(program, status, complaint.trim())
  } finally {
    child.kill('SIGKILL')
    await exit.catch(() => undefined)
  }
}

/** Notes what the source throws, as opposed to what is thrown into it because the program closed its input. */
async function* watch(
  source: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  const next = () =>
    iterator.next().catch((error: unknown) => {
      onError(error)
      throw error
    })
  try {
    for (let result = await next(); result.done !== true; result = await next()) yield result.value
  } finally {
    await iterator.return?.()
  }
}
