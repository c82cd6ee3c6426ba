import { type Place, UserError } from '#diagnostics'
import type { CopyStep } from '#plan'
import type { CopyItem } from '#tree'

/** Where a flag stands in its instruction: from `--name` to the next blank; the whole instruction when it is not found. */
export function flagPlace(place: Place, flag: string): Place {
  const { source, span } = place
  const start = source.text.slice(span.start, span.end).search(new RegExp(`(?<=\\s)${flag}(?=[=\\s])`))
  if (start === -1) return place
  const from = span.start + start
  const length = source.text.slice(from, span.end).search(/\s/)
  return { source, span: { start: from, end: length === -1 ? span.end : from + length } }
}

/** Where the source of an item stands in its instruction. */
export function sourcePlace(step: CopyStep, item: CopyItem): Place {
  const paths = step.sources.filter(source => source.kind === 'path')
  const named = paths.find(source => !source.wildcard && source.path.split('/').at(-1) === item.name)
  return (named ?? paths.find(source => source.wildcard) ?? paths[0] ?? step).place
}

/** Runs `body`; a `UserError` without a place gets one, and the exit code of a failed build. */
export async function placed<T>(place: Place, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw withPlace(error, place)
  }
}

/** The same for what does not wait. */
export function placedNow<T>(place: Place, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw withPlace(error, place)
  }
}

function withPlace(error: unknown, place: Place): unknown {
  if (!(error instanceof UserError) || error.at !== undefined) return error
  const { message, hint, details, cause } = error
  return new UserError(message, { hint, details, at: place, cause })
}
