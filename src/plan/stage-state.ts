import type { Place, WarningSink } from '#diagnostics'
import type { MappedText, Word } from '#dockerfile'
import { expandWord } from '#dockerfile'
import type { Platform } from '#oci'
import type { PlannedHistory, RunStep, SourceRef, Step } from './build-plan.ts'
import type { ConfigDraft } from './config-draft.ts'
import type { PlacedInstruction } from './discover.ts'
import type { GlobalScope } from './global-scope.ts'
import type { Entitlement } from './plan-options.ts'
import { assign, reportUndefined, splitAssignment } from './scope.ts'

/** A stage while its instructions are carried out. */
export interface StageState {
  readonly platform: Platform
  readonly globals: GlobalScope
  readonly buildArgs: ReadonlyMap<string, string>
  /** What the command line says for every RUN. */
  readonly runs: { readonly network: RunStep['network']; readonly allow: ReadonlySet<Entitlement> }
  readonly warn: WarningSink
  readonly refOf: (word: Word) => SourceRef | undefined
  readonly config: ConfigDraft
  /** ENV and ARG in one namespace: what words expand to and what RUN sees. */
  readonly scope: Map<string, string>
  /** Names given by ARG, with or without a value, in order of their first declaration. */
  readonly args: Map<string, string | undefined>
  readonly steps: Step[]
  readonly history: PlannedHistory[]
  author: string | undefined
  /** How many ports EXPOSE has listed in this stage. */
  portCount: number
  /** CMD was given in this stage: a later ENTRYPOINT keeps it. */
  cmdSet: boolean
}

/** The environment of the configuration overrides what is in scope, entry by entry. */
export function importEnvironment(scope: Map<string, string>, env: readonly string[]): void {
  for (const entry of env) assign(scope, ...splitAssignment(entry))
}

/** Expands a word with the stage's scope and warns about undefined names. */
export function expandInStage(
  state: StageState,
  word: MappedText,
  placed: PlacedInstruction,
  expand: typeof expandWord = expandWord,
): string {
  const expansion = expand(word, name => state.scope.get(name), placed)
  reportInStage(state, expansion, placed)
  return expansion.value
}

/** Warns about what an expansion found undefined. */
export function reportInStage(
  state: StageState,
  expansion: Parameters<typeof reportUndefined>[0],
  placed: PlacedInstruction,
): void {
  reportUndefined(expansion, {
    code: 'UndefinedVar',
    warn: state.warn,
    source: placed.source,
    declared: name => state.args.has(name),
    candidates: () => new Set([...state.scope.keys(), ...state.args.keys(), ...state.globals.declared]),
  })
}

/** Where an instruction, or a part of it, stands for the reader. */
export function placeIn(placed: PlacedInstruction, span = placed.instruction.span): Place {
  return placed.place ?? { source: placed.source, span }
}

/** An entry without a layer. */
export function recordMetadata(state: StageState, createdBy: string): void {
  state.history.push({ createdBy })
}

/** A step with its entry. */
export function recordStep(state: StageState, step: Step, createdBy: string): void {
  state.history.push({ createdBy, step: state.steps.length })
  state.steps.push(step)
}

/** The shell that shell forms run in. */
export function shellOf(state: StageState): readonly string[] {
  if (state.config.shell && state.config.shell.length > 0) return state.config.shell
  return state.platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c']
}
