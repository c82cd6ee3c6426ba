import type { FileKind } from '../file-kinds.ts'
import type { Instruction } from '../instructions.ts'
import type { PathGroup } from '../whole-paths.ts'

/**
 * Why bytes are wasted (`…-later`: a later layer hides them) or needless (they are in the final tree). Bytes are in one
 * cause at most.
 */
export type CauseKind =
  | 'deleted-later'
  | 'replaced-later'
  | 'reowned-later'
  | FileKind
  | 'dev-dependencies'
  | 'duplicates'
  | 'copy-before-install'

/** One block of bytes, why it is there, and what to write instead. */
export interface Cause {
  readonly kind: CauseKind
  /** Position of the layer that holds the bytes. */
  readonly layer: number
  readonly instruction: Instruction
  /** For what a later layer hides, and for an install that a COPY makes run again: that later one. */
  readonly by?: { readonly layer: number; readonly instruction: Instruction }
  /** The bytes came with the base image. */
  readonly inBase: boolean
  /** Bytes of file content by which the image gets smaller; 0 where only builds get faster. */
  readonly saving: number
  readonly files: number
  /** Largest first, directories where all their files of that layer belong to it. */
  readonly paths: readonly PathGroup[]
  /** What happened, in one sentence. */
  readonly title: string
  readonly rewrite: Rewrite
}

/** What to change. */
export interface Rewrite {
  readonly kind:
    | 'join-runs'
    | 'clean-in-run'
    | 'cache-mount'
    | 'bind-mount'
    | 'set-owner'
    | 'leave-out'
    | 'dockerignore'
    | 'multi-stage'
    | 'install-without'
    | 'reorder'
    | 'link'
    | 'other-base'
  /** One sentence. */
  readonly text: string
  /** Lines of a Dockerfile or `.dockerignore`, where they can be given. */
  readonly lines: readonly string[]
}
