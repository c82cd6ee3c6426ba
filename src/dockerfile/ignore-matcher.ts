import { readClass } from './glob.ts'
import type { IgnorePattern } from './ignore-file.ts'
import { compilePattern, type PatternToken } from './path-pattern.ts'

/** What a list of ignore patterns says about a path. */
export interface IgnoreDecision {
  readonly ignored: boolean
  /** The last pattern that changed the answer; absent when none matched. */
  readonly decidedBy?: IgnorePattern
}

export interface IgnoreMatcher {
  /** `path` is relative to the root, with slashes, without a leading one. */
  readonly decide: (path: string) => IgnoreDecision
  /** Whether something below a directory is not ignored, as far as the patterns can tell: else it need not be read. */
  readonly mustWalk: (directory: string) => boolean
}

/** Directories whose results are remembered; a walk needs those of its own depth only. */
const memoryLimit = 10_000

/**
 * Matches paths as moby's patternmatcher does: the last matching pattern decides; a pattern that matches a parent
 * covers everything below it; `**` stands for any number of directories. Takes linear time in the path for patterns
 * with many stars.
 */
export function ignoreMatcher(patterns: readonly IgnorePattern[]): IgnoreMatcher {
  const compiled = patterns.map(({ pattern }) => compilePattern(ignoreTokens(pattern)))
  const memory = new Map<string, Uint8Array>()
  const resultsOf = (path: string): Uint8Array => {
    const slash = path.lastIndexOf('/')
    const above = slash === -1 ? undefined : remembered(path.slice(0, slash))
    return Uint8Array.from(compiled, (pattern, i) => (above?.[i] === 1 || pattern.matches(path) ? 1 : 0))
  }
  const remembered = (directory: string): Uint8Array => {
    const known = memory.get(directory)
    if (known) return known
    const results = resultsOf(directory)
    if (memory.size >= memoryLimit) memory.clear()
    memory.set(directory, results)
    return results
  }
  return {
    decide: path => {
      const index = decidingIndex(patterns, resultsOf(path))
      const decidedBy = patterns[index]
      return decidedBy ? { ignored: !decidedBy.exception, decidedBy } : { ignored: false }
    },
    mustWalk: directory => {
      const index = decidingIndex(patterns, remembered(directory))
      if (index === -1 || patterns[index]?.exception) return true
      return compiled.some((pattern, i) => i > index && patterns[i]?.exception && pattern.mayMatchBelow(directory))
    },
  }
}

/** Index of the pattern that decides, or -1. */
function decidingIndex(patterns: readonly IgnorePattern[], results: Uint8Array): number {
  let index = -1
  let ignored = false
  for (const [i, { exception }] of patterns.entries()) {
    if (exception !== ignored || results[i] !== 1) continue
    ignored = !exception
    index = i
  }
  return index
}

/** The elements of an ignore pattern, which has been checked before. */
function ignoreTokens(pattern: string): readonly PatternToken[] {
  const tokens: PatternToken[] = []
  const characters = Array.from(pattern)
  let at = 0
  while (at < characters.length) {
    const character = characters[at] ?? ''
    at++
    if (character === '*' && characters[at] === '*') {
      at++
      const slash = characters[at] === '/'
      if (slash) at++
      tokens.push({ kind: at === characters.length ? 'deep' : 'directories' })
    } else if (character === '*') tokens.push({ kind: 'star' })
    else if (character === '?') tokens.push({ kind: 'any' })
    else if (character === '[') {
      const found = readClass(characters, at)
      if (!found) throw new Error(`unchecked pattern ${pattern}`)
      tokens.push(found.token)
      at = found.next
    } else if (character === '\\') {
      tokens.push({ kind: 'character', value: characters[at] ?? '' })
      at++
    } else tokens.push({ kind: 'character', value: character })
  }
  return leadingStarsAreSuffix(pattern, tokens)
}

/** `**name` without another wildcard matches every path that ends in `name`, also in the middle of a component. */
function leadingStarsAreSuffix(pattern: string, tokens: readonly PatternToken[]): readonly PatternToken[] {
  const [first, ...others] = tokens
  const suffix = first?.kind === 'directories' && !pattern.startsWith('**/') && !pattern.includes('\\')
  return suffix && others.every(({ kind }) => kind === 'character') ? [{ kind: 'deep' }, ...others] : tokens
}
