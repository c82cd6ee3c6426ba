// What the smoke tests of the examples are made of: they run an image with `slipway run`, as a user does, ask it something, and
// end it. A smoke test is called with the image and the name of its variant: `node smoke.ts go-web:scratch scratch`.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))

/** The arguments of a smoke test. */
export function smokeArguments(): { readonly image: string; readonly variant: string } {
  const [image, variant = ''] = process.argv.slice(2)
  if (image !== undefined) return { image, variant }
  process.stderr.write('usage: node smoke.ts IMAGE [VARIANT]\n')
  return process.exit(2)
}

/** Runs a command in an image to its end and gives its standard output. Throws where it ends with another exit code. */
export async function runInImage(
  image: string,
  words: readonly string[],
  { options = [], exitCode = 0 }: { readonly options?: readonly string[]; readonly exitCode?: number } = {},
): Promise<string> {
  const args = [executable, 'run', '--rm', ...options, image, ...words]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== exitCode) throw new Error(`${image}: ${words.join(' ')} ended with ${String(code)}:\n${output}`)
  return output
}

export interface Service {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** What it wrote so far, both streams. */
  readonly output: () => string
  /** Sends SIGTERM and gives the exit code; `null` after a signal. Throws where it does not end within 15 seconds. */
  stop(): Promise<number | null>
}

export interface ServiceOptions {
  /** Options of `slipway run`, besides `-e PORT=…`. */
  readonly options?: readonly string[]
  readonly command?: readonly string[]
  /** Asked until it answers with a status below 500. */
  readonly ready?: string
}

/** Starts an image that listens on `$PORT`, and waits until it answers. The service shares the network of the host. */
export async function runService(
  image: string,
  { options = [], command = [], ready = '/' }: ServiceOptions = {},
): Promise<Service> {
  const port = await freePort()
  const args = [executable, 'run', '--rm', '-e', `PORT=${port}`, ...options, image, ...command]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  const service = {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    stop: () => stop(child, closed, () => output),
  }
  try {
    await answers(service.url + ready, child)
    return service
  } catch (error) {
    child.kill('SIGTERM')
    await closed
    throw new Error(`${image}: ${(error as Error).message}; it wrote:\n${output}`, { cause: error })
  }
}

async function stop(child: ChildProcess, closed: Promise<number | null>, output: () => string): Promise<number | null> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const code = await closed
  clearTimeout(timer)
  if (child.signalCode === 'SIGKILL') throw new Error(`it did not end after SIGTERM; it wrote:\n${output()}`)
  return code
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const limit = Date.now() + 90_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`)
    const response = await fetch(url).catch(() => undefined)
    await response?.body?.cancel()
    if (response && response.status < 500) return
    if (Date.now() > limit) throw new Error(`${url} does not answer${response ? ` well (${response.status})` : ''}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
