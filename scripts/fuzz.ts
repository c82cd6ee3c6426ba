// Gives hostile input to what reads foreign bytes: `npm run fuzz -- [--runs N] [--seed N] [--only parser|tar|ignore]`.
// Fails, with the input, when something is thrown that is no UserError, an input takes a second of processor time or hangs, or
// memory grows beyond a limit. `test/fuzz/watch-thread.test.ts` shows that each of these is noticed.
import { isMainThread } from 'node:worker_threads'
import { parseArgs } from 'node:util'
import fc, { type Arbitrary } from 'fast-check'
import { UserError } from '#diagnostics'
import { ignoreMatcher, parseDockerfile, parseIgnoreFile } from '#dockerfile'
import { planBuild } from '#plan'
import { readTar } from '#tar'
import { archives, dockerfiles, ignoreCases } from '../test/fuzz/inputs.ts'
import { openDesk, watchThread } from '../test/fuzz/watch-thread.ts'

/** Most milliseconds of processor time for one input. */
const slow = 1000
/** What hangs is stopped after so many milliseconds. */
const hang = 60_000
/** Most megabytes of heap of what reads, and most resident bytes of the whole process. */
const heap = 256
const resident = 768 * 2 ** 20

interface Task {
  readonly name: string
  readonly runs: number
  readonly seed: number
}

interface Figures {
  /** Inputs that were refused with an error for the user. */
  refused: number
  /** Processor time of the slowest input in milliseconds. */
  slowest: number
  /** Most bytes of heap after an input. */
  heap: number
  /** Most bytes resident after an input. */
  peak: number
}

/** Milliseconds; other threads and other work of the machine do not count. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

interface Subject<T> {
  readonly title: string
  readonly inputs: Arbitrary<T>
  readonly text: (input: T) => string | Uint8Array
  readonly read: (input: T) => unknown
}

async function fuzz<T>(
  { title, inputs, text, read }: Subject<T>,
  { runs, seed }: Task,
  say: (input: string | Uint8Array) => void,
): Promise<void> {
  const figures: Figures = { refused: 0, slowest: 0, heap: 0, peak: 0 }
  const started = performance.now()
  let count = 0
  const property = fc.asyncProperty(inputs, async input => {
    say(text(input))
    const before = processorTime()
    try {
      await read(input)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      figures.refused++
    }
    const took = processorTime() - before
    figures.slowest = Math.max(figures.slowest, took)
    if (took > slow) throw new Error(`took ${Math.round(took)} ms`)
    if (++count % 100 !== 0) return
    const { heapUsed, rss } = process.memoryUsage()
    figures.heap = Math.max(figures.heap, heapUsed)
    figures.peak = Math.max(figures.peak, rss)
  })
  await fc.assert(property, { numRuns: runs, seed })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
  process.stdout.write(
    `${title}: ${runs} inputs in ${seconds} s, ${figures.refused} refused, slowest ${figures.slowest.toFixed(1)} ms, ` +
      `at most ${megabytes(figures.heap)} of heap and ${megabytes(figures.peak)} resident\n`,
  )
}

async function readArchive(bytes: Buffer): Promise<void> {
  let total = 0
  for await (const member of readTar(chunksOf(bytes))) {
    for await (const chunk of member.content()) {
      total += chunk.length
      // A sparse file may be of any size; that its zeros come in pieces is enough to know.
      if (total > 2 ** 20) return
    }
  }
}

/** Pieces of a size that divides nothing, so that every boundary falls somewhere. */
async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 701) yield bytes.subarray(at, at + 701)
}

const run: Readonly<Record<string, (task: Task, say: (input: string | Uint8Array) => void) => Promise<void>>> = {
  parser: (task, say) => fuzz({ title: 'parser', inputs: dockerfiles, text: String, read: parseAndPlan }, task, say),
  tar: (task, say) =>
    fuzz({ title: 'tar reader', inputs: archives, text: bytes => bytes, read: readArchive }, task, say),
  ignore: (task, say) =>
    fuzz(
      {
        title: 'ignore matcher',
        inputs: ignoreCases,
        text: input => JSON.stringify(input),
        read: ([text, path]) => ignoreMatcher(parseIgnoreFile({ name: '.dockerignore', text })).decide(path),
      },
      task,
      say,
    ),
}

async function parseAndPlan(text: string): Promise<void> {
  await planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    buildArgs: {},
    resolveImage: () => Promise.reject(new UserError('no image', { hint: 'none' })),
  })
}

if (isMainThread) {
  const { values: flags } = parseArgs({
    options: {
      runs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  })
  if (flags.only !== undefined && !(flags.only in run)) throw new Error(`--only takes ${Object.keys(run).join(', ')}`)
  for (const name of Object.keys(run)) {
    if (flags.only !== undefined && flags.only !== name) continue
    const task: Task = { name, runs: Number(flags.runs), seed: Number(flags.seed) }
    const outcome = await watchThread(new URL(import.meta.url), { data: task, hang, heap, resident })
    if (outcome.kind === 'done') continue
    const what = outcome.kind === 'failed' ? outcome.message : outcome.kind
    process.stderr.write(`${name}: ${what}\ninput: ${JSON.stringify(outcome.input)}\n`)
    process.exitCode = 1
  }
} else {
  const { data, say } = openDesk()
  const task = data as Task
  await run[task.name]?.(task, say)
}
