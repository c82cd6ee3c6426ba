import type { Place } from './source.ts'

/** What the process ends with. */
export const ExitCode = {
  ok: 0,
  /** The input is wrong or the build failed. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  interrupted: 130,
} as const

export interface UserErrorOptions {
  /** What to try next; every error carries one. */
  readonly hint: string
  /** Where in which text. */
  readonly at?: Place
  /** Lines shown below the message as they are: the tail of a log, a list of candidates. */
  readonly details?: readonly string[]
  /** Default 1. */
  readonly exitCode?: number
  readonly cause?: unknown
}

/** A mistake the user can mend. Rendered without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly hint: string
  readonly at: Place | undefined
  readonly details: readonly string[]
  readonly exitCode: number

  constructor(message: string, options: UserErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hint = options.hint
    this.at = options.at
    this.details = options.details ?? []
    this.exitCode = options.exitCode ?? ExitCode.failure
  }
}
