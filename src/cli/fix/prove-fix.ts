import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ImageDiff, diffImages, storeImage, studyImage } from '#analyze'
import { chainOf, findImage, imageConfig, runContainer } from '#build'
import { type Proposal, unexpectedDifferences } from '#fix'
import { findHostTools } from '#linux'
import { lookup } from '#tree'
import { buildSilently } from '../build/build-silently.ts'
import type { FixFlags } from '../commands/fix.ts'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'

/** A Dockerfile with its ignore file, as texts. */
export interface FixState {
  readonly dockerfile: string
  readonly ignore: string
}

/** What is built, and where from. */
export interface Proving {
  readonly directory: string
  readonly flags: FixFlags
  readonly context: CliContext
}

/** Builds a state and gives the image's id. Throws what the build throws. */
export async function buildState(state: FixState, { directory, flags, context }: Proving): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-fix-'))
  try {
    const file = join(scratch, 'Dockerfile')
    writeFileSync(file, state.dockerfile)
    writeFileSync(`${file}.dockerignore`, state.ignore)
    const { target, buildArg, registryMirror, insecureRegistry } = flags
    return await buildSilently(
      {
        path: directory,
        file,
        ...(target !== undefined && { target }),
        ...(buildArg && { buildArg }),
        ...(registryMirror && { registryMirror }),
        ...(insecureRegistry && { insecureRegistry }),
      },
      context,
    )
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** What was found by comparing two images. */
export interface Proof {
  readonly before: { readonly id: string; readonly size: number }
  readonly after: { readonly id: string; readonly size: number }
  /** Beyond what is meant to differ; empty: proven equal. */
  readonly unexpected: readonly string[]
  /** Paths that differ as they are meant to. */
  readonly meant: number
  readonly run?: RunProof
}

export interface RunProof {
  readonly command: string
  readonly equal: boolean
  readonly exitCodes: readonly [number, number]
}

/** Compares two built images, and what a command does in them. */
export async function proveEqual(
  [before, after]: readonly [string, string],
  proposals: readonly Proposal[],
  { flags, context }: Proving,
): Promise<Proof> {
  return withStore(context, async store => {
    const studies = []
    for (const id of [before, after]) studies.push(await studyImage(await storeImage(store, findImage(store, id), id)))
    const [one, two] = studies as [(typeof studies)[number], (typeof studies)[number]]
    const diff: ImageDiff = diffImages(one, two, { times: false })
    const unexpected = unexpectedDifferences(diff, proposals)
    const hasShell = [one, two].every(({ trace }) => lookup(trace.tree, '/bin/sh').entry !== undefined)
    const run =
      flags.run === undefined ? undefined : await runInBoth([before, after], flags.run, { store, context, hasShell })
    return {
      before: { id: before, size: one.analysis.totals.size },
      after: { id: after, size: two.analysis.totals.size },
      unexpected,
      meant: diff.files.length - unexpected.filter(line => line.startsWith('/')).length,
      ...(run && { run }),
    }
  })
}

interface RunPlace {
  readonly store: Parameters<typeof findImage>[0]
  readonly context: CliContext
  /** Whether both images have `/bin/sh`. */
  readonly hasShell: boolean
}

/** A text without anything that only a shell understands. */
const plainWords = /^[\w@%+=:,./ -]+$/

/** Where a shell is missing, plain words are run without one, in both images. */
function commandLine(command: string, hasShell: boolean): readonly string[] {
  return hasShell || !plainWords.test(command) ? ['/bin/sh', '-c', command] : command.trim().split(/ +/)
}

async function runInBoth(
  ids: readonly [string, string],
  command: string,
  { store, context, hasShell }: RunPlace,
): Promise<RunProof> {
  const results: { readonly exitCode: number; readonly output: string }[] = []
  for (const id of ids) {
    const image = findImage(store, id)
    chainOf(store, image)
    const { config } = await imageConfig(store, image.id)
    const chunks: Uint8Array[] = []
    const { exitCode } = await runContainer({
      store,
      image,
      host: findHostTools(context.environment['PATH']),
      command: [...commandLine(command, hasShell)],
      entrypoint: [],
      env: (config.Env ?? []).some(pair => pair.startsWith('PATH='))
        ? []
        : ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      volumes: [],
      hostname: 'slipway',
      network: 'none',
      interactive: false,
      onOutput: (_stream, data) => void chunks.push(data),
      keep: false,
      signal: context.interrupts.signal,
      now: context.now,
    })
    results.push({ exitCode, output: Buffer.concat(chunks).toString('latin1') })
  }
  const [one, two] = results as [(typeof results)[number], (typeof results)[number]]
  return {
    command,
    equal: one.exitCode === two.exitCode && one.output === two.output,
    exitCodes: [one.exitCode, two.exitCode],
  }
}
