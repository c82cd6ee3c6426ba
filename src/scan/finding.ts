import type { Severity } from '#secrets'

/** Where a secret stands. */
export type SecretPlace =
  | {
      readonly kind: 'file'
      /** Without a leading slash. */
      readonly path: string
      /** The member of an archive or the file in a compressed one; absent for the file itself. */
      readonly member?: string
      /** From 1. */
      readonly line: number
      readonly column: number
      /** Position among the image's layers, from 0, base first; absent outside of images. */
      readonly layer?: number
      /** The layer that removes or replaces the file; the secret is in the image all the same. */
      readonly hiddenBy?: number
    }
  /** Position in the history, from 0, oldest first. */
  | { readonly kind: 'history'; readonly entry: number }
  | { readonly kind: 'env' | 'label'; readonly name: string }
  /** Any other text of the configuration. */
  | { readonly kind: 'config'; readonly field: string }

/** A secret that was found; its value is not in it. */
export interface SecretFinding {
  /** Name of the rule. */
  readonly rule: string
  readonly title: string
  readonly severity: Severity
  readonly place: SecretPlace
  readonly masked: string
  readonly fingerprint: string
}

/** What a scan did. */
export interface ScanReport {
  readonly findings: readonly SecretFinding[]
  /** Files that were looked at, members of archives included. */
  readonly files: number
  /** Bytes that were looked at. */
  readonly bytes: number
  /** What was not looked at, and why: one line each. */
  readonly notes: readonly string[]
}
