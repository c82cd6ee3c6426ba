import type { Severity } from './finding.ts'

/** What kinds of value are secrets, and how they are found. */
export interface Rule {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  /** Literals of which one is in every value or directly beside it; at least four ASCII characters; their case counts when `fixed`. */
  readonly anchors: readonly string[]
  /** The value has a form of its own, so it is looked for in binaries too, whatever the path. */
  readonly fixed: boolean
  /** With flags `dg`; the group `value` is the secret. Looked for in the anchor's line, as latin1. */
  readonly pattern: RegExp
  /** How many bytes before and behind the anchor are looked at, whatever the lines. Without: the line. */
  readonly reach?: { readonly before: number; readonly after: number }
  /** What of the value is the same in all: may be shown. */
  readonly prefix?: RegExp
  /** Whether it looks worth matching: sees the bytes and the anchor's ends. */
  readonly quick?: (bytes: Uint8Array, start: number, end: number) => boolean
  /** Paths that it applies to; without: all. */
  readonly paths?: RegExp
  /** Judges a match: no secret, or how bad, or more exactly what. */
  readonly judge?: (found: Match) => Verdict
}

export interface Match {
  readonly value: string
  readonly groups: Readonly<Record<string, string | undefined>>
  /** The text that was searched, and where the match stands in it. */
  readonly text: string
  readonly start: number
  readonly end: number
  readonly path: string
}

export type Verdict = boolean | Severity | { readonly id: string; readonly title: string; readonly severity: Severity }
