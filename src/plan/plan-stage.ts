import { positionOf, type WarningSink } from '#diagnostics'
import { applyArg } from './apply-arg.ts'
import { applyCopy } from './apply-copy.ts'
import {
  applyCmd,
  applyEntrypoint,
  applyHealthcheck,
  applyKeyValues,
  applyShell,
  applyText,
  applyWords,
} from './apply-metadata.ts'
import { applyRun } from './apply-run.ts'
import type { BasePlan, SourceRef, StagePlan } from './build-plan.ts'
import { draftConfig, emptyConfig, finishConfig } from './config-draft.ts'
import type { Discovered, PlacedInstruction, Target } from './discover.ts'
import type { GlobalScope } from './global-scope.ts'
import type { Scope } from './scope.ts'
import { importEnvironment, recordStep, type StageState } from './stage-state.ts'

/** A stage's plan with what its children inherit beside the configuration. */
export interface PlannedStage {
  readonly plan: StagePlan
  readonly scope: Scope
  readonly args: ReadonlyMap<string, string | undefined>
}

export interface StageContext {
  /** The stages planned so far, in order. */
  readonly stages: readonly PlannedStage[]
  /** Position in the file → index in the plan. */
  readonly indexes: ReadonlyMap<number, number>
  readonly globals: GlobalScope
  readonly buildArgs: ReadonlyMap<string, string>
  readonly warn: WarningSink
  /** --label: only for the target. */
  readonly labels: Readonly<Record<string, string>>
  readonly runs: StageState['runs']
}

/** Carries out the instructions of a stage on paper. */
export function planStage(stage: Discovered, context: StageContext): PlannedStage {
  const parent = stage.base.kind === 'stage' ? context.stages[indexOf(context, stage.base.position)] : undefined
  const state = startState(stage, context, parent)
  if (stage.base.kind === 'named-context') copyContext(state, stage, stage.base)
  for (const placed of stage.instructions) apply(state, placed)
  for (const [name, value] of Object.entries(context.labels)) state.config.labels.set(name, value)
  const { node, title, place } = stage.header
  const plan: StagePlan = {
    index: context.stages.length,
    position: node.position,
    name: title,
    place,
    platform: stage.platform,
    base: basePlan(stage.base, context),
    steps: state.steps,
    config: finishConfig(state.config),
    ...(state.author !== undefined && { author: state.author }),
    history: state.history,
    args: [...state.args].map(([name, value]) => [name, value ?? '']),
  }
  return { plan, scope: state.scope, args: state.args }
}

function startState(stage: Discovered, context: StageContext, parent: PlannedStage | undefined): StageState {
  const image = stage.base.kind === 'image' ? stage.base.image.config : undefined
  const config = draftConfig(parent?.plan.config ?? image?.config ?? emptyConfig(), stage.platform.os)
  const scope = new Map(parent?.scope)
  importEnvironment(scope, config.env)
  return {
    platform: stage.platform,
    globals: context.globals,
    buildArgs: context.buildArgs,
    runs: context.runs,
    warn: context.warn,
    refOf: word => sourceRef(stage.targets.get(word), context),
    config,
    scope,
    args: new Map(parent?.args),
    steps: [],
    history: [],
    author: parent?.plan.author ?? image?.author,
    portCount: 0,
    cmdSet: false,
  }
}

function indexOf({ indexes }: StageContext, position: number): number {
  const index = indexes.get(position)
  if (index === undefined) throw new Error(`stage ${position} is not planned`)
  return index
}

function basePlan(base: Target, context: StageContext): BasePlan {
  switch (base.kind) {
    case 'stage':
      return { kind: 'stage', stage: indexOf(context, base.position) }
    case 'image':
      return base
    // The files of a named context come with a step.
    case 'named-context':
    case 'empty':
      return { kind: 'scratch' }
  }
}

function sourceRef(target: Target | undefined, context: StageContext): SourceRef | undefined {
  if (target?.kind !== 'stage') return target
  return { kind: 'stage', stage: indexOf(context, target.position) }
}

/** FROM a named context of files: an empty base and everything copied into it. */
function copyContext(state: StageState, { header }: Discovered, context: Target & { kind: 'named-context' }): void {
  const { place, basePlace, node } = header
  recordStep(
    state,
    {
      kind: 'copy',
      instruction: 'COPY',
      from: context,
      sources: [{ kind: 'path', path: '.', wildcard: false, place: basePlace }],
      destination: { path: '/', directory: true, place: basePlace },
      link: false,
      parents: false,
      exclude: [],
      keepGitDir: false,
      place,
      line: positionOf(place.source, place.span.start).line,
      text: node.from.text.text.replace(/\s+/g, ' ').trim(),
    },
    `FROM ${context.name}`,
  )
}

function apply(state: StageState, placed: PlacedInstruction): void {
  const { instruction } = placed
  switch (instruction.kind) {
    case 'arg':
      return applyArg(state, placed, instruction)
    case 'env':
    case 'label':
      return applyKeyValues(state, placed, instruction)
    case 'run':
      return applyRun(state, placed, instruction)
    case 'copy':
    case 'add':
      return applyCopy(state, placed, instruction)
    case 'cmd':
      return applyCmd(state, instruction.command)
    case 'entrypoint':
      return applyEntrypoint(state, instruction.command)
    case 'shell':
      return applyShell(state, instruction)
    case 'healthcheck':
      return applyHealthcheck(state, instruction)
    case 'expose':
    case 'volume':
      return applyWords(state, placed, instruction)
    case 'maintainer':
    case 'user':
    case 'workdir':
    case 'stopsignal':
      return applyText(state, placed, instruction)
    case 'onbuild':
      state.config.onBuild.push(instruction.stored)
  }
}
