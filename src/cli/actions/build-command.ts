import { buildImage, type BuiltImage, type SolveOptions } from '#build'
import { ExitCode, type Place, type ProgressSink, renderWarning, UserError, type Warning } from '#diagnostics'
import { findHostTools, type HostTools } from '#linux'
import { familiarReference } from '#oci'
import { type BuildPlan, planToJson } from '#plan'
import { openLocalContext } from '#sources'
import type { Store } from '#store'
import { type BuildOutcome, buildMetadata } from '../build/build-metadata.ts'
import { type NamedContexts, namedContexts, openContexts } from '../build/named-contexts.ts'
import { needsNamespace, planFromOptions } from '../build/plan-from-options.ts'
import { type ReadDockerfile, readDockerfile } from '../build/read-dockerfile.ts'
import { readSecrets } from '../build/read-secrets.ts'
import { writeOutputs } from '../build/write-outputs.ts'
import type { BuildFlags } from '../commands/build.ts'
import { type CliContext, isOrdinaryUser } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { reportResult } from '../progress/report-result.ts'
import { type ActivityTeller, idCounter } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway build`. */
export async function buildCommand(path: string, flags: BuildFlags, context: CliContext): Promise<number> {
  const mode = flags.quiet ? 'quiet' : flags.progress
  checkOutputs(flags, mode, context)
  const early = await enterBeforeReading(path, flags, context)
  if (early !== undefined) return early
  const contexts = namedContexts(flags.buildContext ?? [], context)
  const input = { path, ...(flags.file !== undefined && { file: flags.file }) }
  const dockerfile = await readDockerfile(input, context)
  const request: Request = { dockerfile, contexts, flags, mode }
  const need = await withStore(context, store => buildHere(store, request, context))
  // The store is closed again: the process inside opens it for itself.
  return need ? enter(need, context) : 0
}

interface Request {
  readonly dockerfile: ReadDockerfile
  readonly contexts: NamedContexts
  readonly flags: BuildFlags
  readonly mode: ProgressMode
}

/** Standard output takes one thing, and an archive never goes to a terminal: say so before anything is built. */
function checkOutputs({ output = [], printPlan }: BuildFlags, mode: ProgressMode, { stdout }: CliContext): void {
  const streams = output.filter(({ destination }) => destination === '-').length
  if (streams === 0) return
  if (streams > 1 || mode === 'quiet' || printPlan) {
    throw usageError('more than one thing would go to standard output', 'give the others a file with dest=FILE')
  }
  if (stdout.isTTY) throw usageError('the archive would go to the terminal', 'add dest=FILE, or redirect: > FILE')
}

/** What was read from standard input cannot be read again inside, so an ordinary user goes in first, where possible. */
async function enterBeforeReading(path: string, flags: BuildFlags, context: CliContext): Promise<number | undefined> {
  if ((path !== '-' && flags.file !== '-') || flags.printPlan) return undefined
  try {
    return await enterNamespace(context, true)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return undefined
  }
}

/** A namespace is needed, for this command where it is for one. */
interface Need {
  readonly at?: Place
}

async function enter({ at }: Need, context: CliContext): Promise<number> {
  try {
    return (await enterNamespace(context, true)) ?? ExitCode.failure
  } catch (error) {
    if (!(error instanceof UserError) || !at) throw error
    const { message, hint, details } = error
    throw new UserError(`RUN cannot be done here: ${message}`, { hint, details, at, cause: error })
  }
}

/** Builds, or says that a namespace is needed first. */
async function buildHere(store: Store, request: Request, context: CliContext): Promise<Need | undefined> {
  const { dockerfile, flags, contexts, mode } = request
  const warnings: Warning[] = []
  const warn = (warning: Warning): void => void warnings.push(warning)
  const plan = await planFromOptions({ store, dockerfile, flags, contexts, warn }, context)
  if (flags.printPlan) {
    for (const warning of warnings) context.stderr.write(renderWarning(warning, { color: context.color.stderr }))
    context.stdout.write(planToJson(plan))
    return undefined
  }
  if (isOrdinaryUser(context) && needsNamespace(plan, store)) {
    const run = plan.stages.flatMap(stage => stage.steps).find(step => step.kind === 'run')
    return run ? { at: run.place } : {}
  }
  const { built, references } = await withProgress(mode, context, progress => {
    for (const warning of warnings) progress({ kind: 'warning', warning, time: context.now() })
    return buildAndWrite({ ...request, store, plan, progress }, context)
  })
  reportResult({ id: built.id, names: references.map(familiarReference) }, mode, context)
  return undefined
}

interface Build extends Request {
  readonly store: Store
  readonly plan: BuildPlan
  readonly progress: ProgressSink
}

/** Builds, writes all outputs, and only then gives the names. */
async function buildAndWrite(build: Build, context: CliContext): Promise<BuildOutcome> {
  const { store, flags, progress } = build
  const teller = { progress, nextId: idCounter(), now: context.now }
  const built = await buildPlan(build, teller, context)
  const references = flags.tag ?? []
  const image = { id: built.id, chain: built.chain, references }
  const outcome = {
    built,
    references,
    ...(await writeOutputs(flags.output ?? [], { store, image, teller }, context)),
  }
  for (const reference of references) store.images.tag(reference, built.id)
  if (flags.iidfile !== undefined) await writeFileWhole(flags.iidfile, built.id, context)
  if (flags.metadataFile !== undefined) {
    await writeFileWhole(flags.metadataFile, await buildMetadata(store, outcome), context)
  }
  return outcome
}

async function buildPlan(
  { store, plan, dockerfile, contexts: named, flags, progress }: Build,
  teller: ActivityTeller,
  context: CliContext,
): Promise<BuiltImage> {
  const { directory, ignore } = dockerfile
  const main = directory === undefined ? undefined : () => openLocalContext(store, directory, ignore)
  const contexts = openContexts(store, main, { named, context })
  let host: HostTools | undefined
  const options: SolveOptions = {
    ...teller,
    store,
    plan,
    context: contexts.main,
    namedContexts: contexts.named,
    secrets: readSecrets(flags.secret ?? [], context),
    noCache: !flags.cache,
    host: () => (host ??= findHostTools(context.environment['PATH'])),
    warn: warning => progress({ kind: 'warning', warning, time: context.now() }),
    signal: context.interrupts.signal,
  }
  try {
    return await buildImage(options)
  } finally {
    await contexts.save()
  }
}
