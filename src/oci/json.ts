import { UserError } from '#diagnostics'

export type Json = Readonly<Record<string, unknown>>

/** An error about JSON from outside. */
export function malformed(what: string, problem: string): UserError {
  return new UserError(`${what} ${problem}`, {
    hint: 'the image is damaged or not an OCI or Docker image; fetch it again',
  })
}

/** Reads checked fields from JSON of outside; each throws a `UserError` that names `what`. */
export const fieldOf = {
  object(value: unknown, what: string): Json {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
    throw malformed(what, 'is not a JSON object')
  },
  string(object: Json, key: string, what: string): string {
    const value = object[key]
    if (typeof value === 'string') return value
    throw malformed(what, `has no text "${key}"`)
  },
  number(object: Json, key: string, what: string): number {
    const value = object[key]
    if (typeof value === 'number') return value
    throw malformed(what, `has no number "${key}"`)
  },
  /** Absent and null count as an empty list: BuildKit writes `null` for an image without layers. */
  list(object: Json, key: string, what: string): readonly unknown[] {
    const value = object[key] ?? []
    if (Array.isArray(value)) return value
    throw malformed(what, `has a "${key}" that is not a list`)
  },
}

/** Parses JSON text from outside. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed(what, 'is not JSON')
  }
}
