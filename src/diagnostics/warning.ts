import type { Place } from './source.ts'

/** Something suspicious that does not stop the build. */
export interface Warning {
  /** A rule name such as `UndefinedVar`. */
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly at?: Place
}

/** Takes warnings as they are found. */
export type WarningSink = (warning: Warning) => void
