import { existsSync } from 'node:fs'
import { type ProgressSink, UserError, type WarningSink } from '#diagnostics'
import type { HostTools } from '#linux'
import type { BuildPlan, StagePlan, Step } from '#plan'
import { type Chain, growingChain, type GrowingChain } from '#rootfs'
import type { Remote } from '#sources'
import { isElsewhere, type LayerRecord, type Store } from '#store'
import type { MergedTree } from '#tree'
import { type Activities, stageLabel, startActivities } from './activities.ts'
import { followStage, type StageFollower } from './follow-stage.ts'
import { fetchReport } from './fetch-report.ts'
import type { OpenedCache } from './remote-cache/open-cache.ts'
import { shownInputs } from './shown-inputs.ts'
import { type ContextOpener, imageChain, openSources, type SourceOpener } from './stage-sources.ts'
import {
  type CacheKey,
  identityOf,
  type RunSettings,
  type SecretSource,
  type StepInputs,
  type StepWork,
} from './step-kind.ts'
import { openStepMemory } from './step-memory.ts'
import { takeTurn } from './take-turn.ts'
import { timed } from './timed.ts'
import { copyKind } from './steps/copy.ts'
import { runKind } from './steps/run.ts'
import { workdirKind } from './steps/workdir.ts'

export interface SolveOptions {
  readonly store: Store
  readonly plan: BuildPlan
  readonly context: ContextOpener | undefined
  readonly namedContexts: ReadonlyMap<string, ContextOpener>
  readonly remote: Remote
  readonly secrets: ReadonlyMap<string, SecretSource>
  /** Makes every step anew, or every step of the stages with these names. */
  readonly noCache: boolean | ReadonlySet<string>
  /** Caches of others (`--cache-from`), the first one first; `buildImage` uses them. */
  readonly caches?: readonly OpenedCache[]
  /** Layers of the result that caches have are fetched, too: then a damaged one is noticed in time. */
  readonly wholeResult?: boolean
  /** Contents that cache mounts start with. */
  readonly mountContents?: StepInputs['mountContents']
  /** Sees the files of COPY and ADD, of layers that are made. */
  readonly contentSink?: StepInputs['contentSink']
  /** For every RUN. */
  readonly runs?: RunSettings
  /** Which Dockerfile it is, to compare a build with the one before. */
  readonly subject?: string
  /** Says of every step whether it hit, and if not, why. */
  readonly explain?: boolean
  /** Looked up when the first command runs. */
  readonly host: () => HostTools
  readonly progress: ProgressSink
  readonly warn: WarningSink
  /** Which build of several this is, for progress. */
  readonly title?: string
  /** Numbers for activities, unique in the process. */
  readonly nextId: () => number
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What became of one step. */
export interface StepReport {
  readonly stage: string
  readonly line: number
  readonly instruction: string
  readonly cached: boolean
  readonly durationMs: number
  readonly layer: LayerRecord
  /** The layer's chain up to and including it. */
  readonly chain: Chain
}

export interface Solved {
  /** The target stage's layers, base first. */
  readonly chain: Chain
  /** By stage of the plan, the layer of each step. */
  readonly steps: ReadonlyMap<number, readonly StepReport[]>
}

/**
 * Solves a plan: each stage once, independent stages at the same time. The first failure stops the others and is thrown.
 */
export async function solvePlan(options: SolveOptions): Promise<Solved> {
  const solving = new Map<number, Promise<Chain>>()
  const reports = new Map<number, StepReport[]>()
  const failures = new Set<unknown>()
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const activities = startActivities(options)
  const solveStage = (index: number): Promise<Chain> => {
    let chain = solving.get(index)
    if (!chain) {
      chain = solveOne(index)
      // Whoever waits for it sees the failure; unhandled it would end the process first.
      chain.catch(() => stop.abort())
      solving.set(index, chain)
    }
    return chain
  }
  const sources = openSources({ ...options, solveStage })
  const memory = openStepMemory(options.store, options.subject ?? '')
  const solveOne = async (index: number): Promise<Chain> => {
    const stage = options.plan.stages[index] as StagePlan
    const own: StepReport[] = []
    reports.set(index, own)
    let chain = await baseChain(stage, options, solveStage)
    const text = baseText(stage, options.plan)
    activities.once({ stage, plan: options.plan, index: 0, text })
    const follower = followStage({
      store: options.store,
      stage,
      base: chain,
      baseName: text.slice('FROM '.length),
      memory,
      explain: options.explain === true,
      mayHit: mayHitIn(options, stage),
    })
    const trees = growingChain(options.store)
    for (const [i, step] of stage.steps.entries()) {
      const report = await solveStep(step, {
        options: { ...options, signal },
        stage,
        index: i,
        chain,
        trees,
        sources,
        activities,
        failures,
        follower,
      })
      own.push(report)
      chain = report.chain
    }
    return chain
  }
  // Every stage of the plan is needed: starting all at once lets independent ones run side by side.
  const all = options.plan.stages.map(stage => solveStage(stage.index))
  const results = await Promise.allSettled(all)
  await memory.save()
  throwFirst(results, options.signal)
  return { chain: await solveStage(options.plan.target), steps: reports }
}

/** The failure that made the others stop, not what stopping made of them. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[], signal: AbortSignal): void {
  signal.throwIfAborted()
  const reasons = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const [first] = reasons
  if (first === undefined) return
  throw (
    reasons.find(reason => reason instanceof UserError) ??
    reasons.find(reason => !(reason instanceof DOMException)) ??
    first
  )
}

async function baseChain(
  stage: StagePlan,
  { store }: SolveOptions,
  solveStage: (index: number) => Promise<Chain>,
): Promise<Chain> {
  switch (stage.base.kind) {
    case 'scratch':
      return []
    case 'stage':
      return solveStage(stage.base.stage)
    case 'image':
      return imageChain(store, stage.base.image)
  }
}

function baseText(stage: StagePlan, plan: BuildPlan): string {
  const { base } = stage
  const name =
    base.kind === 'scratch'
      ? 'scratch'
      : base.kind === 'stage'
        ? (plan.stages[base.stage]?.name ?? '')
        : base.image.reference
  return `FROM ${name}`
}

interface StepContext {
  readonly options: SolveOptions
  readonly stage: StagePlan
  readonly index: number
  readonly chain: Chain
  /** The stage's, for one step after the other. */
  readonly trees: GrowingChain
  readonly sources: SourceOpener
  readonly activities: Activities
  /** What was told already. */
  readonly failures: Set<unknown>
  readonly follower: StageFollower
}

async function solveStep(step: Step, context: StepContext): Promise<StepReport> {
  const { options, stage, chain, activities, index, follower } = context
  const { store } = options
  options.signal.throwIfAborted()
  const started = options.now()
  const activity = activities.begin({ stage, plan: options.plan, index: index + 1, text: step.text })
  try {
    const inputs = stepInputs(context, activity.report)
    const work = workOf(step, inputs)
    const asked: CacheKey[] = []
    let layer = await timed(inputs, { name: 'cache look-up' }, () =>
      findRecorded(work, store, { asked, mayHit: inputs.mayHit }),
    )
    using turn =
      layer === undefined
        ? await timed(inputs, { name: 'waiting for other builds' }, () =>
            turnFor(step, asked, { context, report: activity.report }),
          )
        : undefined
    if (turn) layer = await findRecorded(work, store, { asked: [], mayHit: true })
    const cached = layer !== undefined
    await follower.take(index, asked)
    // Why a command runs is told before; what only the making tells, behind it.
    const tellLate = !cached && work.lateKeys !== undefined
    if (!tellLate) await follower.tell(index, cached, activity.report)
    layer ??= await timed(inputs, { name: 'making the layer' }, () =>
      makeAndRecord(work, { store, chain, asked, independent: step.kind === 'copy' && step.link }),
    )
    if (tellLate) {
      await follower.take(index, [...asked, ...(work.lateKeys?.() ?? [])])
      await follower.tell(index, cached, activity.report)
    }
    if (cached) store.layers.touch([layer.id])
    activity.done(cached)
    return {
      stage: stage.name,
      line: step.line,
      instruction: step.text,
      cached,
      durationMs: options.now() - started,
      layer,
      chain: [...chain, layer],
    }
  } catch (error) {
    activity.failed(failureText(error, context))
    throw error
  }
}

/** The same command is not run by two builds at once; files are copied faster than waited for. */
async function turnFor(
  step: Step,
  asked: readonly CacheKey[],
  { context: { options, stage }, report }: { readonly context: StepContext; readonly report: StepInputs['report'] },
): Promise<Disposable | undefined> {
  const key = asked.at(-1)?.key
  if (step.kind !== 'run' || key === undefined || !mayHitIn(options, stage)) return undefined
  const data = Buffer.from('another build runs the same command: waiting for its result\n')
  return takeTurn(options.store, key, {
    signal: options.signal,
    onWait: () => report({ kind: 'log', stream: 'stderr', data }),
  })
}

/** The failure of another stage, which this step waited for or was stopped by, is told once only. */
function failureText(error: unknown, { options, failures }: StepContext): string {
  if (options.signal.aborted || failures.has(error)) return 'canceled'
  failures.add(error)
  return error instanceof Error ? error.message : String(error)
}

/** What a kind of step says about a step. */
export function workOf(step: Step, inputs: StepInputs): StepWork {
  switch (step.kind) {
    case 'run':
      return runKind(step, inputs)
    case 'copy':
      return copyKind(step, inputs)
    case 'workdir':
      return workdirKind(step, inputs)
  }
}

/** Whether the cache is asked for steps of a stage. */
export function mayHitIn({ noCache }: Pick<SolveOptions, 'noCache'>, stage: StagePlan): boolean {
  return typeof noCache === 'boolean' ? !noCache : !noCache.has(stage.name)
}

function stepInputs(context: StepContext, report: StepInputs['report']): StepInputs {
  const { options, stage, chain, trees, sources } = context
  let tree: Promise<MergedTree> | undefined
  const fetching = { signal: options.signal, onFetch: fetchReport(report) }
  return {
    store: options.store,
    stage,
    parent: chain,
    platform: stage.platform,
    parentTree: () => {
      tree ??= trees.at(chain, fetching)
      return tree
    },
    source: ref => {
      const stageOfRef = ref.kind === 'stage' ? options.plan.stages[ref.stage] : undefined
      const label = stageOfRef && stageLabel(options.plan, stageOfRef, options.title)
      if (!stageOfRef || label === undefined) return sources.open(ref, fetching)
      const part = { name: `waiting for stage ${stageOfRef.name}`, waitsFor: label }
      return timed({ report, now: options.now }, part, () => sources.open(ref, fetching))
    },
    ...runsOf(options),
    warn: options.warn,
    mayHit: mayHitIn(options, stage),
    report,
  }
}

/** What is the same for every step. */
export function runsOf(
  options: SolveOptions,
): Pick<StepInputs, 'host' | 'secrets' | 'runs' | 'remote' | 'signal' | 'now' | 'mountContents' | 'contentSink'> {
  const { host, secrets, runs = { extraHosts: [] }, remote, signal, now, mountContents, contentSink } = options
  return {
    host,
    secrets,
    runs,
    remote,
    signal,
    now,
    ...(mountContents && { mountContents }),
    ...(contentSink && { contentSink }),
  }
}

/** Tries the keys, cheapest first; a hit is recorded under the keys that missed before it. */
async function findRecorded(
  work: StepWork,
  store: Store,
  { asked, mayHit }: { readonly asked: CacheKey[]; readonly mayHit: boolean },
): Promise<LayerRecord | undefined> {
  for await (const key of work.cacheKeys()) {
    const layer = mayHit ? wholeRecord(store, key.key) : undefined
    if (layer) {
      recordAll(store, asked, layer)
      asked.push(key)
      return layer
    }
    asked.push(key)
  }
  return undefined
}

/** The layer recorded under a key. Somebody may have removed files by hand: such a layer is made again. */
export function wholeRecord(store: Store, key: string): LayerRecord | undefined {
  const id = store.records.find(key)
  const layer = id === undefined ? undefined : store.layers.get(id)
  return layer && isWhole(store, layer) ? layer : undefined
}

function isWhole(store: Store, layer: LayerRecord): boolean {
  const { directory, tar } = layer.forms
  if (layer.unavailable) return true
  if (isElsewhere(layer)) return layer.diffId !== undefined && store.layers.places(layer.diffId).length > 0
  if (directory && !existsSync(store.layers.directory(layer))) return false
  if (tar && (layer.diffId === undefined || !store.blobs.exists(layer.diffId))) return false
  return directory || tar
}

interface Making {
  readonly store: Store
  readonly chain: Chain
  readonly asked: readonly CacheKey[]
  /** The layer does not depend on what is below (--link). */
  readonly independent: boolean
}

async function makeAndRecord(work: StepWork, { store, chain, asked, independent }: Making): Promise<LayerRecord> {
  const made = await work.makeLayer()
  const keys = [...asked, ...(work.lateKeys?.() ?? [])]
  const parent = independent ? undefined : chain.at(-1)?.id
  const id = store.layers.freshId(keys.at(-1)?.key ?? identityOf(chain))
  const layer = await store.layers.add({ ...made, id, ...(parent !== undefined && { parent }) })
  recordAll(store, keys, layer)
  return layer
}

function recordAll(store: Store, keys: readonly CacheKey[], layer: LayerRecord): void {
  for (const { key, inputs, family } of keys)
    store.records.record([key], layer.id, { inputs: shownInputs(inputs), ...(family !== undefined && { family }) })
}
