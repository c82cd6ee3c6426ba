// Gives hostile input to what reads foreign bytes: `npm run fuzz -- [--runs N] [--seed N] [--only parser|tar|ignore]`.
// Fails when something is thrown that is no UserError, an input takes a second, or memory grows without bound.
import { parseArgs } from 'node:util'
import fc, { type Arbitrary } from 'fast-check'
import { UserError } from '#diagnostics'
import { ignoreMatcher, parseDockerfile, parseIgnoreFile } from '#dockerfile'
import { planBuild } from '#plan'
import { readTar } from '#tar'
import { archives, dockerfiles, ignoreCases } from '../test/fuzz/inputs.ts'

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})
const numRuns = Number(flags.runs)
/** Milliseconds. */
const slow = 1000
/** Bytes. */
const memoryLimit = 512 * 2 ** 20

interface Figures {
  /** Inputs that were refused with an error for the user. */
  refused: number
  /** Processor time of the slowest input in milliseconds. */
  slowest: number
  /** Most bytes resident after an input. */
  peak: number
}

/** Milliseconds; other work of the machine does not count. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function fuzz<T>(name: string, inputs: Arbitrary<T>, read: (input: T) => unknown): Promise<void> {
  const figures: Figures = { refused: 0, slowest: 0, peak: 0 }
  const started = performance.now()
  let count = 0
  const property = fc.asyncProperty(inputs, async input => {
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
    if (++count % 1000 === 0) {
      figures.peak = Math.max(figures.peak, process.memoryUsage.rss())
      if (figures.peak > memoryLimit) throw new Error(`memory grew to ${figures.peak} bytes`)
    }
  })
  await fc.assert(property, { numRuns, seed: Number(flags.seed) })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(
    `${name}: ${numRuns} inputs in ${seconds} s, ${figures.refused} refused, slowest ${figures.slowest.toFixed(1)} ms, ` +
      `at most ${Math.round(figures.peak / 2 ** 20)} MiB\n`,
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

const subjects: Readonly<Record<string, () => Promise<void>>> = {
  parser: () =>
    fuzz('parser', dockerfiles, async text => {
      const tree = parseDockerfile({ name: 'Dockerfile', text })
      await planBuild({
        tree,
        buildArgs: {},
        resolveImage: () => Promise.reject(new UserError('no image', { hint: 'none' })),
      })
    }),
  tar: () => fuzz('tar reader', archives, readArchive),
  ignore: () =>
    fuzz('ignore matcher', ignoreCases, ([text, path]) => {
      ignoreMatcher(parseIgnoreFile({ name: '.dockerignore', text })).decide(path)
    }),
}

for (const [name, run] of Object.entries(subjects)) if (flags.only === undefined || flags.only === name) await run()
