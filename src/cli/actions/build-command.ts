import { resolve } from 'node:path'
import {
  buildImage,
  type BuiltImage,
  inlineCache,
  predictPlan,
  type SolveOptions,
  type Teller,
  verifyBuild,
} from '#build'
import { ExitCode, type Place, renderWarning, UserError, type Warning } from '#diagnostics'
import { findHostTools, type HostTools } from '#linux'
import { familiarReference, formatPlatform, hostPlatform, platformMatches } from '#oci'
import { type BuildPlan, planToJson } from '#plan'
import type { Store } from '#store'
import { type BuildOutcome, buildMetadata, type PlatformImage } from '../build/build-metadata.ts'
import { checkImageOptions } from '../build/check-image-options.ts'
import { checkedWarnings, refuseFailing } from '../build/checked-warnings.ts'
import { type NamedContexts, namedContexts, type OpenContexts, openContexts } from '../build/named-contexts.ts'
import { type Elsewhere, openElsewhere } from '../build/open-elsewhere.ts'
import { isSwitchedOn, needsNamespace, plansFromOptions } from '../build/plan-from-options.ts'
import { type ReadDockerfile, readDockerfile } from '../build/read-dockerfile.ts'
import { type BuildSecrets, searchForSecrets } from '../build/search-for-secrets.ts'
import { readSecrets } from '../build/read-secrets.ts'
import { writeOutputs } from '../build/write-outputs.ts'
import type { CacheStart, CacheWork } from '../build/remote-caches.ts'
import type { BuildFlags } from '../commands/build.ts'
import { type CliContext, isOrdinaryUser } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import { callOf } from '../options/call.ts'
import type { ProgressMode } from '../options/progress-option.ts'

import { reportResult } from '../progress/report-result.ts'
import { type ActivityTeller, idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import type { TraceFile } from '../trace/trace-file.ts'
import { usageError } from '../usage-error.ts'

/** `slipway build`. */
export async function buildCommand(path: string, flags: BuildFlags, context: CliContext): Promise<number> {
  const mode = flags.quiet ? 'quiet' : flags.progress
  checkImageOptions(flags)
  checkOutputs(flags, mode, context)
  if (flags.explain && mode === 'quiet')
    throw usageError('--explain says nothing with --quiet', 'leave one of them out')
  const early = await enterBeforeReading(path, flags, context)
  if (early !== undefined) return early
  const contexts = namedContexts(flags.buildContext ?? [], context)
  const input = {
    path,
    ...(flags.file !== undefined && { file: flags.file }),
    keepGitDir: isSwitchedOn('BUILDKIT_CONTEXT_KEEP_GIT_DIR', flags, context),
  }
  const need = await withStore(
    context,
    async store => {
      await using elsewhere = openElsewhere(store, flags, context)
      const dockerfile = await readDockerfile(input, elsewhere, context)
      return await buildHere(store, { dockerfile, contexts, elsewhere, flags, mode }, context)
    },
    flags,
  )
  // The store is closed again: the process inside opens it for itself.
  return typeof need === 'object' ? enter(need, context) : (need ?? ExitCode.ok)
}

interface Request {
  readonly dockerfile: ReadDockerfile
  readonly contexts: NamedContexts
  readonly elsewhere: Elsewhere
  readonly flags: BuildFlags
  readonly mode: ProgressMode
}

/** Standard output takes one thing, and an archive never goes to a terminal: say so before anything is built. */
function checkOutputs({ output = [], printPlan, trace }: BuildFlags, mode: ProgressMode, { stdout }: CliContext): void {
  if (trace === '-') throw usageError('the trace needs a file of its own', 'name one: --trace trace.json')
  const streams = output.filter(({ destination }) => destination === '-').length
  if (streams === 0) return
  if (streams > 1 || mode === 'quiet' || printPlan) {
    throw usageError('more than one thing would go to standard output', 'give the others a file with dest=FILE')
  }
  if (stdout.isTTY) throw usageError('the archive would go to the terminal', 'add dest=FILE, or redirect: > FILE')
}

/** What was read from standard input cannot be read again inside, so an ordinary user goes in first, where possible. */
async function enterBeforeReading(path: string, flags: BuildFlags, context: CliContext): Promise<number | undefined> {
  if ((path !== '-' && flags.file !== '-') || flags.printPlan || callOf(flags)) return undefined
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

/** Builds or looks at the file, and gives the exit code; or says that a namespace is needed first. */
async function buildHere(store: Store, request: Request, context: CliContext): Promise<Need | number | undefined> {
  const { flags, mode } = request
  const call = callOf(flags)
  if (call) {
    const { callCommand } = await import('./call-command.ts')
    return callCommand({ ...request, store }, call, context)
  }
  if (flags.printPlan) {
    const silent = { progress: () => {}, nextId: idCounter(), now: context.now }
    const { plans, warnings } = await planAll(store, request, { teller: silent, context })
    for (const warning of warnings) context.stderr.write(renderWarning(warning, { color: context.color.stderr }))
    context.stdout.write(plansToJson(await withPredictions(plans, { ...request, store }, context)))
    return undefined
  }
  await using trace = flags.trace === undefined ? undefined : await traceFile(flags.trace, mode, context)
  const result = await withProgress(mode, context, async shown => {
    const progress = trace ? trace.follow(shown) : shown
    const teller = { progress, nextId: idCounter(), now: context.now }
    const { plans, warnings } = await planAll(store, request, { teller, context })
    const need = isOrdinaryUser(context) ? namespaceNeed(plans, store) : undefined
    if (need) return need
    for (const warning of warnings) progress({ kind: 'warning', warning, time: context.now() })
    refuseFailing(warnings)
    return buildAndWrite({ ...request, store, plans, teller }, context)
  })
  if (!('images' in result)) return result
  const { images, named, references } = result
  for (const { built } of images) {
    const names = built === named ? references.map(familiarReference) : []
    reportResult({ id: built.id, names }, mode, context)
  }
  if (flags.verify && mode !== 'quiet' && mode !== 'json')
    context.stderr.write('reproducible: two builds without cache gave the same image\n')
  return undefined
}

interface Told {
  readonly teller: ActivityTeller
  readonly context: CliContext
}

/** The plans of all platforms, and what there is to warn of. */
async function planAll(
  store: Store,
  { dockerfile, flags, contexts, elsewhere }: Request,
  { teller, context }: Told,
): Promise<{ readonly plans: readonly BuildPlan[]; readonly warnings: readonly Warning[] }> {
  const found: Warning[] = []
  const warn = (warning: Warning): void => void found.push(warning)
  const tell: Teller = (text, work) => tellActivity(teller, text, work)
  const plans = await plansFromOptions({ store, dockerfile, flags, contexts, elsewhere, warn, tell }, context)
  return { plans, warnings: await checkedWarnings({ dockerfile, flags, plans, found }, context) }
}

function namespaceNeed(plans: readonly BuildPlan[], store: Store): Need | undefined {
  const plan = plans.find(each => needsNamespace(each, store))
  const run = plan?.stages.flatMap(stage => stage.steps).find(step => step.kind === 'run')
  return plan && (run ? { at: run.place } : {})
}

async function traceFile(path: string, mode: ProgressMode, context: CliContext): Promise<TraceFile> {
  const { openTraceFile } = await import('../trace/trace-file.ts')
  return openTraceFile(path, mode, context)
}

/** The plans with what the cache has of each step. */
async function withPredictions(
  plans: readonly BuildPlan[],
  request: Request & Pick<Build, 'store'>,
  context: CliContext,
): Promise<readonly BuildPlan[]> {
  const silent = { progress: () => {}, nextId: idCounter(), now: context.now }
  const predicted: BuildPlan[] = []
  const warn = (warning: Warning): void =>
    void context.stderr.write(renderWarning(warning, { color: context.color.stderr }))
  const start = await cacheStart(request, { teller: silent, warn }, context)
  for (const plan of plans) {
    const options = solveOptions(plan, { ...request, plans, teller: silent, start }, context)
    predicted.push(await predictPlan(options.solve))
    await options.contexts.save()
  }
  return predicted
}

/** One plan as it is, several as a list. */
function plansToJson(plans: readonly BuildPlan[]): string {
  const texts = plans.map(planToJson)
  return texts.length === 1 ? (texts[0] ?? '') : `[\n${texts.join(',\n')}]\n`
}

interface Build extends Request {
  readonly store: Store
  /** One for each platform. */
  readonly plans: readonly BuildPlan[]
  readonly teller: ActivityTeller
  /** What others built. */
  readonly start?: CacheStart
  /** Unless the user wants none of it. */
  readonly secrets?: BuildSecrets
}

/** What `--cache-from` gives to begin with; nothing where every step is to be made anew. */
async function cacheStart(
  { store, flags }: Request & Pick<Build, 'store'>,
  { teller, warn }: Omit<CacheWork, 'store'>,
  context: CliContext,
): Promise<CacheStart> {
  const { cacheFrom = [], cache, verify } = flags
  if (cacheFrom.length === 0 || !cache || verify) return {}
  const { openCaches } = await import('../build/remote-caches.ts')
  return openCaches(cacheFrom, { store, teller, warn }, context)
}

/** Builds, writes all outputs, and only then gives the names; caches come last. */
async function buildAndWrite(given: Build, context: CliContext): Promise<BuildOutcome> {
  const { store, flags, teller } = given
  const warn = (warning: Warning): void => teller.progress({ kind: 'warning', warning, time: context.now() })
  const build = {
    ...given,
    start: await cacheStart(given, { teller, warn }, context),
    ...(flags.secrets !== 'off' && { secrets: searchForSecrets({ ...given, mode: flags.secrets, warn, context }) }),
  }
  const { caches = [] } = build.start
  const images: PlatformImage[] = []
  for (const plan of build.plans) images.push({ platform: plan.platform, built: await buildPlan(plan, build, context) })
  await build.secrets?.check(images.map(image => image.built))
  const references = flags.tag ?? []
  const { annotation: annotations = [], output = [] } = flags
  const named = localImage(images)
  const { cacheTo = [] } = flags
  const inline = wantsInlineCache(flags, context)
    ? { inlineCache: inlineCacheOf({ store, caches, signal: context.interrupts.signal }) }
    : {}
  const outcome = {
    images,
    named,
    references,
    ...(await writeOutputs(
      output,
      { store, images, references, annotations, teller, registryFlags: flags, ...inline },
      context,
    )),
  }
  for (const reference of references) store.images.tag(reference, named.id)
  if (flags.iidfile !== undefined) {
    const id = images.length > 1 ? outcome.manifest?.digest : named.id
    await writeFileWhole(flags.iidfile, id ?? named.id, context)
  }
  if (flags.metadataFile !== undefined) {
    await writeFileWhole(flags.metadataFile, await buildMetadata(store, outcome), context)
  }
  const exported = cacheTo.filter(option => option.type !== 'inline')
  if (exported.length > 0) {
    const { writeCaches } = await import('../build/remote-caches.ts')
    const built = images.map(image => image.built)
    await writeCaches(exported, { store, teller, warn, flags, plans: build.plans, images: built, caches }, context)
  }
  return outcome
}

/** `--cache-to type=inline`, or the build argument that meant it before; without a manifest that is for nothing. */
function wantsInlineCache(flags: BuildFlags, context: CliContext): boolean {
  return (
    (flags.cacheTo ?? []).some(({ type }) => type === 'inline') ||
    ((flags.output ?? []).some(({ type }) => ['oci', 'docker', 'registry'].includes(type)) &&
      isSwitchedOn('BUILDKIT_INLINE_CACHE', flags, context))
  )
}

function inlineCacheOf(
  contents: Parameters<typeof inlineCache>[0],
): (built: BuiltImage) => ReturnType<typeof inlineCache> {
  return built => inlineCache(contents, built)
}

/** A name of the local store is that of one image: the one that runs here, where there is one. */
function localImage(images: readonly PlatformImage[]): BuiltImage {
  const found = images.find(({ platform }) => platformMatches(platform, hostPlatform())) ?? images[0]
  if (!found) throw new Error('a build has at least one platform')
  return found.built
}

async function buildPlan(plan: BuildPlan, build: Build, context: CliContext): Promise<BuiltImage> {
  const { solve, contexts } = solveOptions(plan, build, context)
  try {
    return await (build.flags.verify ? verifyBuild : buildImage)(solve)
  } finally {
    await contexts.save()
  }
}

function solveOptions(
  plan: BuildPlan,
  { store, plans, dockerfile, contexts: named, elsewhere, flags, teller, start, secrets }: Build,
  context: CliContext,
): { readonly solve: SolveOptions; readonly contexts: OpenContexts } {
  const contexts = openContexts(elsewhere, dockerfile, { named, context })
  let host: HostTools | undefined
  const solve: SolveOptions = {
    ...teller,
    ...start,
    wholeResult: (flags.output ?? []).some(({ type }) => type !== 'registry'),
    ...(secrets && { contentSink: secrets.contentSink }),
    store,
    plan,
    ...(plans.length > 1 && { title: formatPlatform(plan.platform) }),
    context: contexts.main,
    namedContexts: contexts.named,
    remote: elsewhere.remote,
    secrets: readSecrets(flags.secret ?? [], context),
    noCache: flags.cache ? new Set(flags.noCacheFilter?.map(name => name.toLowerCase())) : true,
    runs: {
      extraHosts: flags.addHost ?? [],
      ...(flags.shmSize !== undefined && { shmSize: flags.shmSize }),
      ...(flags.ulimit && { ulimits: flags.ulimit }),
      ssh: elsewhere.agents.byId,
    },
    subject: subjectOf(dockerfile, context),
    explain: flags.explain === true,
    host: () => (host ??= findHostTools(context.environment['PATH'])),
    warn: warning => teller.progress({ kind: 'warning', warning, time: context.now() }),
    signal: context.interrupts.signal,
  }
  return { solve, contexts }
}

/** Which Dockerfile it is, wherever the command is given. */
function subjectOf({ source, directory }: ReadDockerfile, context: CliContext): string {
  return JSON.stringify([directory ?? null, resolve(context.directory, source.name)])
}
