/** How bad it is when the wrong person reads it: `low` for what is encrypted or hashed, or not a secret alone. */
export type Severity = 'high' | 'medium' | 'low'

/** One secret in a text or in bytes. */
export interface SecretHit {
  /** Name of the rule, such as `github-token`. */
  readonly rule: string
  /** What a person calls it. */
  readonly title: string
  readonly severity: Severity
  /** Byte offsets of the value. */
  readonly start: number
  readonly end: number
  /** From 1. */
  readonly line: number
  /** From 1, in bytes. */
  readonly column: number
  /** The value, masked: what a report may show. */
  readonly masked: string
  /** Names this secret at this path without giving it away: of the value only 16 bits of its digest are in it. */
  readonly fingerprint: string
}
