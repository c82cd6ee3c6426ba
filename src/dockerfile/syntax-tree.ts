import type { Source, Span } from '#diagnostics'
import type { MappedText } from './mapped-text.ts'

/** A Dockerfile as it is written: nothing is expanded or resolved, every node knows its place. */
export interface DockerfileTree {
  readonly source: Source
  /** Parser directives in order; each known name at most once. */
  readonly directives: readonly Directive[]
  readonly escape: EscapeCharacter
  /** All comments outside heredocs, in order; directives are not among them. */
  readonly comments: readonly Comment[]
  /** ARG instructions before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[]
  /** At least one. */
  readonly stages: readonly StageNode[]
}

export type EscapeCharacter = '\\' | '`'

/** `# syntax=…`, `# escape=…`, `# check=…`. */
export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check'
  readonly value: Word
  readonly span: Span
}

export interface Comment {
  /** Without `#` and outer blanks. */
  readonly text: string
  readonly span: Span
}

/** A piece of text with its place. `text` may be shorter than the span: continuations and quotes are gone. */
export interface Word extends MappedText {
  readonly span: Span
}

export interface StageNode {
  /** 0-based among all stages of the file. */
  readonly position: number
  /** The name after AS, in lower case. */
  readonly name?: string
  readonly from: FromInstruction
  /** What follows FROM. */
  readonly instructions: readonly StageInstruction[]
}

/** `--name` or `--name=value`; the value has its quotes removed. */
export interface Flag {
  readonly name: string
  readonly span: Span
  readonly value?: Word
}

/** `<<EOF` with its body. */
export interface Heredoc {
  /** The delimiter without quotes. */
  readonly name: string
  /** The word in the instruction line. */
  readonly span: Span
  /** No part of the delimiter is quoted. */
  readonly expand: boolean
  /** `<<-`: leading tabs of the body's lines are to be removed. */
  readonly chomp: boolean
  /** Verbatim, line ends included. */
  readonly body: MappedText
}

interface InstructionBase {
  /** The keyword as written. */
  readonly keyword: Word
  /** The whole instruction, heredoc bodies included. */
  readonly span: Span
  /** The joined line, keyword included. */
  readonly text: MappedText
  readonly flags: readonly Flag[]
  /** Comment lines directly above. */
  readonly comments: readonly Comment[]
  /** Blank lines inside a continuation. */
  readonly blankContinuations: readonly Span[]
}

/** A command line in exec form (a JSON array) or shell form (text). */
export type Command =
  | { readonly form: 'exec'; readonly args: readonly Word[]; readonly span: Span }
  | { readonly form: 'shell'; readonly text: Word; readonly span: Span }

export interface FromInstruction extends InstructionBase {
  readonly kind: 'from'
  readonly image: Word
  /** The word `AS` as written. */
  readonly as?: Word
  readonly name?: Word
  readonly platform?: Word
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg'
  readonly args: readonly { readonly name: Word; readonly value?: Word; readonly span: Span }[]
}

export interface KeyValuesInstruction extends InstructionBase {
  readonly kind: 'env' | 'label'
  readonly pairs: readonly { readonly name: Word; readonly value: Word; readonly span: Span }[]
  /** `ENV name value`: one pair without `=`. */
  readonly legacy: boolean
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'run'
  readonly command: Command
  readonly heredocs: readonly Heredoc[]
  readonly mounts: readonly Word[]
  readonly network?: Word
  readonly security?: Word
  readonly devices: readonly Word[]
}

export interface CommandInstruction extends InstructionBase {
  readonly kind: 'cmd' | 'entrypoint'
  readonly command: Command
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell'
  readonly shell: readonly Word[]
}

/** MAINTAINER, USER, WORKDIR, STOPSIGNAL: the rest of the line is one text. */
export interface TextInstruction extends InstructionBase {
  readonly kind: 'maintainer' | 'user' | 'workdir' | 'stopsignal'
  readonly value: Word
}

export interface WordsInstruction extends InstructionBase {
  readonly kind: 'expose' | 'volume'
  readonly words: readonly Word[]
}

export interface CopyInstruction extends InstructionBase {
  readonly kind: 'copy' | 'add'
  /** Paths, then heredocs, as they are copied; at least one. */
  readonly sources: readonly (
    | { readonly kind: 'path'; readonly path: Word }
    | { readonly kind: 'heredoc'; readonly heredoc: Heredoc }
  )[]
  readonly destination: Word
  /** COPY only. */
  readonly from?: Word
  readonly chown?: Word
  readonly chmod?: Word
  readonly link: boolean
  /** COPY only. */
  readonly parents: boolean
  readonly exclude: readonly Word[]
  /** ADD only. */
  readonly keepGitDir: boolean
  /** ADD only. */
  readonly checksum?: Word
  /** ADD only; absent when not given. */
  readonly unpack?: boolean
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild'
  /** What is stored in the image: the trigger as written, joined to one line, with heredoc bodies. */
  readonly stored: string
  readonly trigger: TriggerInstruction
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck'
  /** Absent for `HEALTHCHECK NONE`. */
  readonly check?: {
    readonly command: Command
    /** Nanoseconds, like all durations here. */
    readonly interval?: number
    readonly timeout?: number
    readonly startPeriod?: number
    readonly startInterval?: number
    readonly retries?: number
  }
}

export type TriggerInstruction =
  | ArgInstruction
  | KeyValuesInstruction
  | RunInstruction
  | CommandInstruction
  | ShellInstruction
  | TextInstruction
  | WordsInstruction
  | CopyInstruction
  | HealthcheckInstruction

export type StageInstruction = TriggerInstruction | OnbuildInstruction

export type Instruction = StageInstruction | FromInstruction
