import { UserError } from '#diagnostics'
import { parseReference, type Reference } from '#oci'
import { usageError } from '../usage-error.ts'

/** A name to give to an image: `NAME[:TAG]`, no digest. Throws a `UserError` (wrong usage) that names `option`. */
export function parseTag(text: string, option: string): Reference {
  const reference = referenceOf(text, option)
  if (reference.digest === undefined) return reference
  throw usageError(
    `${option}: ${JSON.stringify(text)} has a digest, which a name to give cannot have`,
    'write NAME or NAME:TAG',
  )
}

function referenceOf(text: string, option: string): Reference {
  try {
    return parseReference(text)
  } catch (error) {
    if (error instanceof UserError) throw usageError(`${option}: ${error.message}`, error.hint)
    throw error
  }
}
