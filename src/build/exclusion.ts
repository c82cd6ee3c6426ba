import { parseIgnoreFile } from '#dockerfile'
import type { Place } from '#diagnostics'
import type { Exclusion } from './select.ts'

/** `--exclude` patterns, with the engine of .dockerignore (section 12.18 of the language page). */
export function exclusionOf(patterns: readonly string[], place: Place): Exclusion {
  const matcher = parseIgnoreFile({ name: place.source.name, text: patterns.join('\n') })
  return { excludes: path => matcher.decide(path).excluded, mayReinclude: path => matcher.mayReinclude(path) }
}
