import type { Place } from '#diagnostics'
import { excludePatterns, ignoreMatcher } from '#dockerfile'
import type { Exclusion } from './select.ts'

/** `--exclude` patterns, with the engine of .dockerignore (section 12.18 of the language page). */
export function exclusionOf(patterns: readonly string[], place: Place): Exclusion {
  const matcher = ignoreMatcher(excludePatterns(patterns, place))
  return { excludes: path => matcher.decide(path).ignored, mayReinclude: path => matcher.mustWalk(path) }
}
