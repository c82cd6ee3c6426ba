import type { SecretHit } from './finding.ts'
import { scanBytes } from './scan-text.ts'

/** The secrets in a text as it stands in a Dockerfile, in their order; `start` and `end` are offsets of the string. */
export function scanString(text: string): readonly SecretHit[] {
  const bytes = Buffer.from(text)
  const hits = scanBytes({ bytes, path: 'Dockerfile' })
  if (bytes.length === text.length) return hits
  let [at, units] = [0, 0]
  const offsetOf = (byte: number): number => {
    units += bytes.toString('utf8', at, byte).length
    at = byte
    return units
  }
  return hits.map(hit => ({ ...hit, start: offsetOf(hit.start), end: offsetOf(hit.end) }))
}
