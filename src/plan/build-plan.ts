import type { Place } from '#diagnostics'
import type { ContainerConfig, ImageConfig, Platform } from '#oci'

/**
 * What to do, as data: every name resolved, every word expanded, only reachable stages. Printable as JSON
 * (`--print-plan`).
 */
export interface BuildPlan {
  /** Reachable stages in file order; a stage refers only to stages before it. */
  readonly stages: readonly StagePlan[]
  /** Index in `stages` of the stage to export. */
  readonly target: number
  readonly platform: Platform
  /** SOURCE_DATE_EPOCH, in seconds since 1970: nothing new in the image is dated later. */
  readonly epoch?: number
}

export interface StagePlan {
  /** Index in `BuildPlan.stages`. */
  readonly index: number
  /** 0-based position among all stages of the file. */
  readonly position: number
  /** The name after AS, else `stage-N` (N is the position). */
  readonly name: string
  readonly place: Place
  readonly platform: Platform
  readonly base: BasePlan
  /** What makes layers, in order. Metadata instructions live in `config` and `history`. */
  readonly steps: readonly Step[]
  /** The stage's image configuration after its last instruction (without rootfs, created and history). */
  readonly config: ContainerConfig
  readonly author?: string
  /** New history entries of this stage in order, below those of its base. */
  readonly history: readonly PlannedHistory[]
  /** Names given by ARG (own and inherited) for messages and cache explanations: name → value, in order of declaration. */
  readonly args: readonly (readonly [string, string])[]
}

export type BasePlan =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly stage: number }
  | { readonly kind: 'image'; readonly image: ResolvedImage }

/** An image that FROM or --from names, after asking for its configuration. */
export interface ResolvedImage {
  /** As written, normalised. */
  readonly reference: string
  /** Identity by content: the digest of its configuration. */
  readonly id: string
  readonly config: ImageConfig
  readonly place?: Place
}

export interface PlannedHistory {
  /** `created_by`, exactly as section 10 of the language page says. */
  readonly createdBy: string
  /** Index in `StagePlan.steps` of the step whose layer this is; absent for an empty layer. */
  readonly step?: number
}

export type Step = RunStep | CopyStep | WorkdirStep

interface StepBase {
  /** The instruction's place in the Dockerfile (of the FROM, when an ONBUILD trigger of an image). */
  readonly place: Place
  /** Line of the Dockerfile, from 1. */
  readonly line: number
  /** The instruction as shown in progress: joined, one line, not expanded, at most a few hundred characters. */
  readonly text: string
}

export interface RunStep extends StepBase {
  readonly kind: 'run'
  /** What is executed: SHELL + text, or the exec form. */
  readonly argv: readonly string[]
  /** A heredoc body with a shebang, to be executed as the file `/dev/pipes/NAME`. */
  readonly script?: { readonly name: string; readonly body: string }
  /** `NAME=value`, image Env merged with ARGs in order. */
  readonly env: readonly string[]
  /** Given to the process but not part of the cache key: the predeclared proxy arguments. */
  readonly unkeyedEnv: readonly string[]
  /** Absolute. */
  readonly workdir: string
  /** As USER says; empty for root. */
  readonly user: string
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  /** What the command sees as the name of its machine (BUILDKIT_SANDBOX_HOSTNAME); absent: that of every sandbox. */
  readonly hostname?: string
  readonly mounts: readonly RunMount[]
}

export type RunMount =
  | {
      readonly type: 'bind'
      readonly target: string
      readonly from: SourceRef
      readonly source: string
      readonly writable: boolean
      readonly place: Place
    }
  | {
      readonly type: 'cache'
      readonly target: string
      readonly id: string
      readonly idGiven: boolean
      /** Keeps caches of the same id apart (BUILDKIT_CACHE_MOUNT_NS). */
      readonly namespace?: string
      readonly sharing: 'shared' | 'private' | 'locked'
      readonly from?: SourceRef
      readonly source: string
      readonly readonly: boolean
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
      readonly place: Place
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: number; readonly place: Place }
  | {
      readonly type: 'secret'
      readonly id: string
      readonly target?: string
      readonly env?: string
      readonly required: boolean
      readonly mode: number
      readonly uid: number
      readonly gid: number
      readonly place: Place
    }
  | {
      readonly type: 'ssh'
      readonly id: string
      readonly target?: string
      readonly required: boolean
      readonly mode: number
      readonly uid: number
      readonly gid: number
      readonly place: Place
    }

/** Where files come from. */
export type SourceRef =
  | { readonly kind: 'context' }
  /** A `--build-context` by name. */
  | { readonly kind: 'named-context'; readonly name: string }
  | { readonly kind: 'stage'; readonly stage: number }
  | { readonly kind: 'image'; readonly image: ResolvedImage }
  /** `--from=scratch`. */
  | { readonly kind: 'empty' }

export interface CopyStep extends StepBase {
  readonly kind: 'copy'
  readonly instruction: 'COPY' | 'ADD'
  readonly from: SourceRef
  readonly sources: readonly CopySource[]
  /** Absolute path; `directory` says that the text ended in `/` or `/.`. */
  readonly destination: { readonly path: string; readonly directory: boolean; readonly place: Place }
  /** As written after expansion: `user[:group]`. */
  readonly chown?: string
  readonly chmod?: ModeChange
  readonly link: boolean
  readonly parents: boolean
  readonly exclude: readonly string[]
  /** ADD --unpack; absent: local archives are unpacked, URLs are not. */
  readonly unpack?: boolean
  readonly checksum?: string
  readonly keepGitDir: boolean
}

/** `--chmod`: an octal mode, or symbolic clauses as written. */
export type ModeChange =
  | { readonly kind: 'octal'; readonly mode: number }
  | { readonly kind: 'symbolic'; readonly text: string }

export type CopySource =
  | { readonly kind: 'path'; readonly path: string; readonly wildcard: boolean; readonly place: Place }
  | { readonly kind: 'inline'; readonly name: string; readonly body: string; readonly place: Place }
  | { readonly kind: 'url'; readonly url: string; readonly place: Place }
  | { readonly kind: 'git'; readonly url: string; readonly place: Place }

export interface WorkdirStep extends StepBase {
  readonly kind: 'workdir'
  /** Absolute. */
  readonly path: string
  /** Owner of created directories: the current USER, empty for root. */
  readonly user: string
}
