import { nearest } from '#diagnostics'
import { usageError } from '../usage-error.ts'

/** An argument parser for an option with a few possible values. Throws a `UserError` (wrong usage). */
export function choice<T extends string>(option: string, values: readonly T[]): (text: string) => T {
  return text => {
    const found = values.find(value => value === text)
    if (found !== undefined) return found
    const near = nearest(text, values)
    const known = `the values are ${values.join(', ')}`
    throw usageError(
      `invalid value ${JSON.stringify(text)} for ${option}`,
      near === undefined ? known : `did you mean "${near}"? ${known}`,
    )
  }
}
