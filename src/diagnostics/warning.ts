import type { Place } from './source.ts'

/** Something suspicious that does not stop the build. */
export interface Warning {
  /** A rule name such as `UndefinedVar`. */
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly at?: Place
  /** The page that explains the rule: a path below the repository's root, or an address. */
  readonly url?: string
  /** The user asked that this ends the build (`# check=error=true`). */
  readonly fails?: boolean
}

/** Takes warnings as they are found. */
export type WarningSink = (warning: Warning) => void
