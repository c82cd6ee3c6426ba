import type { Warning } from './warning.ts'

/**
 * What goes on, as events: builds, exports, downloads and base builds tell it, the command line shows it. Every
 * activity has an id that is unique in the process; `begin` comes first, exactly one of `done` and `failed` last.
 */
export type ProgressEvent =
  | {
      readonly kind: 'begin'
      readonly id: number
      /** What a person reads: an instruction's text, `exporting to oci archive`, `downloading 12 packages`. */
      readonly text: string
      /** The stage's name, for steps of a Dockerfile with several stages. */
      readonly stage?: string
      /** Position and number of steps of that stage, from 1. */
      readonly position?: { readonly index: number; readonly count: number }
      /** Milliseconds since 1970. */
      readonly time: number
    }
  /** Output of a running command, as it came. */
  | {
      readonly kind: 'log'
      readonly id: number
      readonly stream: 'stdout' | 'stderr'
      readonly data: Uint8Array
      readonly time: number
    }
  /** Bytes moved so far; `total` once known. `label` tells apart several transfers of one activity. */
  | {
      readonly kind: 'transfer'
      readonly id: number
      readonly label: string
      readonly done: number
      readonly total?: number
      readonly time: number
    }
  /** With `--explain`: whether the cache had the result of a step, and if not, why. */
  | {
      readonly kind: 'cache'
      readonly id: number
      readonly hit: boolean
      /** Empty for a hit. */
      readonly reasons: readonly CacheReason[]
      readonly time: number
    }
  /** Something that took time, told at its end: a part of an activity, or without `id` of the whole. For traces. */
  | {
      readonly kind: 'span'
      readonly id?: number
      readonly name: string
      /** Milliseconds since 1970. */
      readonly began: number
      /** The stage (as in `begin`) whose result was waited for. */
      readonly waitsFor?: string
      readonly time: number
    }
  | { readonly kind: 'done'; readonly id: number; readonly cached: boolean; readonly time: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly time: number }
  | { readonly kind: 'warning'; readonly warning: Warning; readonly time: number }

/** One input that was not as it was in the last build. */
export interface CacheReason {
  readonly input:
    | 'file'
    | 'argument'
    | 'environment'
    | 'instruction'
    | 'base'
    | 'below'
    | 'source'
    | 'mount'
    | 'owner'
    | 'platform'
    | 'first'
    | 'store'
    | 'no-cache'
    | 'other'
  /** Path, name of the variable, part of the instruction. */
  readonly name?: string
  /** One line for a person, name included. */
  readonly text: string
}

/** Takes events in the order in which things happen; must not throw. */
export type ProgressSink = (event: ProgressEvent) => void
