import type { Span, Warning } from '#diagnostics'
import type { DockerfileTree, IgnorePattern, StageNode } from '#dockerfile'
import type { CheckName } from './check-names.ts'

/** What the checks may know beside the file. */
export interface LintOptions {
  /** Value of the build argument BUILDKIT_DOCKERFILE_CHECK: stands instead of the `check` directive. */
  readonly setting?: string
  /** Positions of the stages whose instructions are looked at; all without. Names and FROM lines always are. */
  readonly stages?: ReadonlySet<number>
  /** Positions of stages whose base is known to set SHELL. */
  readonly shellInBase?: ReadonlySet<number>
  /** Of the ignore file of the build context. */
  readonly ignore?: readonly IgnorePattern[]
  /** What planning found: the same settings apply to it. */
  readonly found?: readonly Warning[]
}

/** One check at one place. */
export interface Finding {
  readonly code: CheckName
  readonly message: string
  readonly hint: string
  readonly span: Span
  /** Offset inside the instruction that answers for it, when `span` lies outside. */
  readonly owner?: number
}

/** What a check looks at. */
export interface Subject {
  readonly tree: DockerfileTree
  readonly options: LintOptions
  /** The stages whose instructions are looked at. */
  readonly stages: readonly StageNode[]
}
