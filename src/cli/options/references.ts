import { UserError } from '#diagnostics'
import { parseReference, type Reference } from '#oci'
import { usageError } from '../usage-error.ts'

/** Names of images on the command line. Throws a `UserError` (wrong usage) for what is none. */
export function parseReferences(texts: readonly string[]): readonly Reference[] {
  return texts.map(text => {
    try {
      return parseReference(text)
    } catch (error) {
      if (error instanceof UserError) throw usageError(error.message, error.hint)
      throw error
    }
  })
}
