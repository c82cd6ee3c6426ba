import { createHash } from 'node:crypto'

/**
 * A cache key from named inputs: SHA-256, in hexadecimal, of their JSON in the order given. Values must be plain data
 * with a stable order of properties.
 */
export function cacheKey(kind: string, inputs: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, inputs]))
    .digest('hex')
}
