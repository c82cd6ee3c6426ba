import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { diffImages, storeImage, type Study, studyImage } from '#analyze'
import { findImage } from '#build'
import { type Proposal, unexpectedDifferences } from '#fix'
import { buildSilently } from '../build/build-silently.ts'
import type { FixFlags } from '../commands/fix.ts'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'
import { commandComparison, type RunProof } from './compare-runs.ts'

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

/** Builds a Dockerfile where it lies and gives the image's id. Throws what the build throws. */
export function buildFile(file: string, { directory, flags, context }: Proving): Promise<string> {
  const { target, buildArg, registryMirror, insecureRegistry } = flags
  return buildSilently(
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
}

/** The same for texts that nobody has written. */
export function buildState(state: FixState, proving: Proving): Promise<string> {
  return withStore(proving.context, async store => {
    const scratch = await store.temporary('fix')
    await mkdir(scratch)
    const file = join(scratch, 'Dockerfile')
    writeFileSync(file, state.dockerfile)
    writeFileSync(`${file}.dockerignore`, state.ignore)
    return await buildFile(file, proving)
  })
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

/** Compares an image that changes were built into, by its id. */
export type Comparison = (after: string, proposals: readonly Proposal[]) => Promise<Proof>

/**
 * Compares images with one that stays: it is looked at, and `--run` done in it, once. Throws a `UserError` where the command cannot be
 * started in that one.
 */
export async function comparisonWith(before: Study, { flags, context }: Proving): Promise<Comparison> {
  const runs = flags.run === undefined ? undefined : await commandComparison(before, flags.run, context)
  const { id } = before.image
  return (after, proposals) =>
    withStore(context, async store => {
      const study = await studyImage(await storeImage(store, findImage(store, after), after))
      const diff = diffImages(before, study, { times: false })
      const unexpected = unexpectedDifferences(diff, proposals)
      const run = await runs?.(study)
      return {
        before: { id, size: before.analysis.totals.size },
        after: { id: after, size: study.analysis.totals.size },
        unexpected,
        meant: diff.files.length - unexpected.filter(line => line.startsWith('/')).length,
        ...(run && { run }),
      }
    })
}
