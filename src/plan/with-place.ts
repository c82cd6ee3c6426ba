import { type Place, UserError } from '#diagnostics'

/** Runs a check that knows no place and gives its error one. */
export function withPlace<T>(place: Place, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw placed(error, place)
  }
}

/** A `UserError` without a place gets this one, and a better hint when there is one. */
export function placed(error: unknown, place: Place, hint?: string): unknown {
  if (!(error instanceof UserError) || (error.at !== undefined && hint === undefined)) return error
  return new UserError(error.message, {
    hint: hint ?? error.hint,
    at: error.at ?? place,
    details: error.details,
    exitCode: error.exitCode,
    cause: error.cause,
  })
}
