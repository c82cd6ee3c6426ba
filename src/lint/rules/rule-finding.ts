import type { Span } from '#diagnostics'
import type { DockerfileTree, RunInstruction, StageNode, TriggerInstruction } from '#dockerfile'
import type { ShellCommand } from '../shell/shell-command.ts'
import type { RuleName } from './rule-table.ts'

/** A change of the file's text. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

/** One rule at one place. */
export interface RuleFinding {
  readonly code: RuleName
  readonly message: string
  readonly hint: string
  readonly span: Span
  /** Changes that mend it and mean the same otherwise. */
  readonly fix?: readonly Edit[]
}

/** What labels have to look like, by name. */
export type LabelType = 'text' | 'url' | 'rfc3339' | 'spdx' | 'hash' | 'semver' | 'email'

/** What a person settles for their files. */
export interface RuleSettings {
  /** Registries that images may come from; empty: all. `*.example.com` and `*` are understood. */
  readonly trustedRegistries: readonly string[]
  readonly labelSchema: ReadonlyMap<string, LabelType>
  /** Other labels than those of the schema are told. */
  readonly strictLabels: boolean
  /** The C library of base images, where their files are known: by the name as FROM has it. */
  readonly libcOf: ReadonlyMap<string, 'glibc' | 'musl' | 'none'>
}

/** A stage with its shell texts taken apart. */
export interface StageView {
  readonly node: StageNode
  /** Triggers count as what they will do. */
  readonly instructions: readonly TriggerInstruction[]
  readonly runs: readonly RunView[]
  /** The stages that it is built from, the nearest first, without itself. */
  readonly below: readonly StageView[]
}

export interface RunView {
  readonly instruction: RunInstruction
  readonly commands: readonly ShellCommand[]
  /** Position among the stage's instructions. */
  readonly position: number
}

/** What a rule looks at. */
export interface RuleSubject {
  readonly tree: DockerfileTree
  readonly stages: readonly StageView[]
  readonly settings: RuleSettings
}

/** All commands of a stage with the RUN that they stand in. */
export function commandsIn({ runs }: StageView): readonly (ShellCommand & { readonly run: RunView })[] {
  return runs.flatMap(run => run.commands.map(command => ({ ...command, run })))
}
