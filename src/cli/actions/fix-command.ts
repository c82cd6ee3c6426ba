import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { ExitCode, UserError } from '#diagnostics'
import {
  type BaseAdvice,
  baseAdvice,
  type FixInput,
  type Measured,
  measureFixes,
  otherBaseKey,
  type Proposal,
  proposeFixes,
} from '#fix'
import { reportView } from '../analyze/report-view.ts'
import type { FixFlags } from '../commands/fix.ts'
import type { CliContext } from '../context.ts'
import { fixJson, type FixOutcome, fixText } from '../fix/fix-texts.ts'
import { builtFrom, measuredImage } from '../fix/measured-image.ts'
import { type Dropped, type ProvenChain, proveChain } from '../fix/prove-chain.ts'
import { buildFile } from '../fix/prove-fix.ts'
import { withImages } from '../images/open-images.ts'
import { enterNamespace } from '../namespace.ts'
import { unifiedDiff } from '../reports/unified-diff.ts'
import { withStore } from '../store-root.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway fix`. */
export async function fixCommand(path: string, flags: FixFlags, context: CliContext): Promise<number> {
  if ((flags.run !== undefined || flags.target !== undefined || flags.buildArg) && !flags.prove) {
    throw usageError('--run, --target and --build-arg are for --prove', 'add --prove')
  }
  if (flags.image !== undefined && flags.prove) {
    throw usageError('--prove builds the image itself', 'leave out --image')
  }
  if (flags.prove) {
    const inner = await enterNamespace(context, true)
    if (inner !== undefined) return inner
  }
  const found = findFiles(path, flags, context)
  const input: FixInput = {
    name: found.name,
    dockerfile: readFileSync(found.file, 'utf8'),
    ignore: existsSync(found.ignore) ? readFileSync(found.ignore, 'utf8') : '',
    hasFile: each => existsSync(join(found.directory, each)),
    otherTrees: flags.multiStage === true,
    without: new Set(),
  }
  const proving = { directory: found.directory, flags, context }
  const before = flags.prove ? await buildFile(found.file, proving) : undefined
  const image = before ?? flags.image ?? (await lastImage(input.dockerfile, context))
  if (image === undefined && flags.base) {
    throw usageError('--base is compared with an image of the Dockerfile', 'add --prove, or name one with --image')
  }
  const finish = async (measured?: Measured): Promise<number> => {
    const measuredInput = { ...input, ...(measured && { measured }) }
    const proven = flags.prove && measured ? await proveChain(measured.study, measuredInput, proving) : undefined
    return show(measuredInput, found, { proven, flags, context })
  }
  if (image === undefined) return finish()
  const { registryMirror, insecureRegistry, base: bases } = flags
  const options = { ...(registryMirror && { registryMirror }), ...(insecureRegistry && { insecureRegistry }) }
  const names = [image, ...(bases ?? []).filter(name => name !== 'scratch')]
  return withImages(names, { options, context }, async images => {
    const measuring = measuredImage(images, { image, bases, dockerfile: input.dockerfile })
    // Nobody asked for what the store happens to have: the changes can be shown without.
    const isAsked = before !== undefined || flags.image !== undefined || bases !== undefined
    return finish(isAsked ? await measuring : await orNothing(measuring, context))
  })
}

/** Figures, or a note that says why there are none. */
async function orNothing(measuring: Promise<Measured>, { stderr }: CliContext): Promise<Measured | undefined> {
  try {
    return await measuring
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    stderr.write(`note: no figures of the last image: ${error.message}\n`)
    return undefined
  }
}

/** The id of the last image of this text; none where there is no store: the changes can be shown without. */
async function lastImage(dockerfile: string, context: CliContext): Promise<string | undefined> {
  try {
    return await withStore(context, async store => builtFrom(store, dockerfile)?.id)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

interface Showing {
  readonly proven: ProvenChain | undefined
  readonly flags: FixFlags
  readonly context: CliContext
}

/** Writes what was asked for, and says what there is. */
async function show(input: FixInput, found: FixFiles, { proven, flags, context }: Showing): Promise<number> {
  const chain = proven?.chain ?? (await proposeFixes(input))
  const { measured } = input
  const outcome: FixOutcome = {
    name: found.name,
    chain,
    dropped: proven?.dropped ?? [],
    diff:
      unifiedDiff(input.dockerfile, chain.dockerfile, found.name) +
      unifiedDiff(input.ignore, chain.ignore, relative(context.directory, found.ignore)),
    ...(measured && {
      image: measured.study.image.name,
      figures: measureFixes(measured.study, chain.proposals, input.dockerfile),
      bases: basesLeft(measured, chain.proposals, proven?.dropped ?? []),
    }),
    ...(proven && { proof: proven.proof }),
  }
  if (flags.write) {
    if (chain.dockerfile !== input.dockerfile) await writeFileWhole(found.file, chain.dockerfile, context)
    if (chain.ignore !== input.ignore) await writeFileWhole(found.ignore, chain.ignore, context)
  }
  context.stdout.write(flags.format === 'json' ? fixJson(outcome) : fixText(outcome, reportView(context, 0)))
  return ExitCode.ok
}

/** None beside a change that has chosen one, and none that was tried in vain. */
function basesLeft(
  measured: Measured,
  proposals: readonly Proposal[],
  dropped: readonly Dropped[],
): readonly BaseAdvice[] {
  if (proposals.some(({ keepsTree }) => !keepsTree)) return []
  const tried = new Set(dropped.map(({ proposal }) => proposal.key))
  return baseAdvice(measured).filter(({ name }) => !tried.has(otherBaseKey(name)))
}

interface FixFiles {
  /** As a person would write it. */
  readonly name: string
  readonly file: string
  readonly ignore: string
  readonly directory: string
}

function findFiles(path: string, { context: given }: FixFlags, context: CliContext): FixFiles {
  const full = resolve(context.directory, path)
  const file = statSync(full, { throwIfNoEntry: false })?.isDirectory() ? join(full, 'Dockerfile') : full
  if (!existsSync(file))
    throw new UserError(`there is no Dockerfile at ${JSON.stringify(path)}`, { hint: 'name the file' })
  const directory = given === undefined ? dirname(file) : resolve(context.directory, given)
  const beside = `${file}.dockerignore`
  return {
    name: relative(context.directory, file).startsWith('..') ? file : relative(context.directory, file),
    file,
    ignore: existsSync(beside) ? beside : join(directory, '.dockerignore'),
    directory,
  }
}
