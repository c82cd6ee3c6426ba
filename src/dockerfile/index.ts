/**
 * dockerfile: Dockerfile text → syntax tree with spans; word expansion; ignore files and path patterns.
 *
 * In: a text as a person wrote it. Out: plain data. Always: nothing is read from disk or resolved; every node and every
 * error carries the exact words in the original text; whatever comes in, the only exception is a `UserError`.
 */
export { formatDuration, parseDuration } from './duration.ts'
export {
  expandHeredoc,
  expandToWords,
  expandWord,
  type Expansion,
  type ExpandOptions,
  type Lookup,
} from './expand-word.ts'
export { compileGlob, hasWildcard, matchGlob } from './glob.ts'
export { excludePatterns, type IgnorePattern, parseIgnoreFile } from './ignore-file.ts'
export { type IgnoreDecision, type IgnoreMatcher, ignoreMatcher } from './ignore-matcher.ts'
export { type MappedText, mapText, placeOf, sliceText, spanOf, trimText } from './mapped-text.ts'
export { parseDockerfile, parseTrigger } from './parse-dockerfile.ts'
export type { PathPattern } from './path-pattern.ts'
export { isSecretName } from './secret-name.ts'
export type * from './syntax-tree.ts'
