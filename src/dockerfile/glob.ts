import { compilePattern, type PathPattern, type PatternToken } from './path-pattern.ts'

/** Text with `*`, `?` or `[` that no backslash protects. */
export function hasWildcard(text: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(text)
}

/**
 * Whether a name matches a pattern of Go's `filepath.Match`: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are
 * classes, a backslash protects the next character, `**` means no more than `*`. Throws a `RangeError` for a pattern
 * with wrong syntax.
 */
export function matchGlob(pattern: string, name: string): boolean {
  return compileGlob(pattern).matches(name)
}

/** The same, compiled once for many names. */
export function compileGlob(pattern: string): PathPattern {
  const tokens = globTokens(pattern)
  if (!tokens) throw new RangeError(`syntax error in pattern ${JSON.stringify(pattern)}`)
  return compilePattern(tokens)
}

/** The elements of a pattern; undefined when its syntax is wrong. */
export function globTokens(pattern: string): readonly PatternToken[] | undefined {
  const tokens: PatternToken[] = []
  const characters = Array.from(pattern)
  let at = 0
  while (at < characters.length) {
    const character = characters[at] ?? ''
    at++
    if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' })
    } else if (character === '?') tokens.push({ kind: 'any' })
    else if (character === '[') {
      const found = readClass(characters, at)
      if (!found) return undefined
      tokens.push(found.token)
      at = found.next
    } else if (character === '\\') {
      const next = characters[at]
      if (next === undefined) return undefined
      tokens.push({ kind: 'character', value: next })
      at++
    } else tokens.push({ kind: 'character', value: character })
  }
  return tokens
}

/** The class whose first character behind `[` is at `start`. */
export function readClass(
  characters: readonly string[],
  start: number,
): { readonly token: PatternToken; readonly next: number } | undefined {
  const ranges: [string, string][] = []
  const negated = characters[start] === '^'
  let at = negated ? start + 1 : start
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = readBound(characters, at)
    if (!low) return undefined
    const high = characters[low.next] === '-' ? readBound(characters, low.next + 1) : low
    if (!high) return undefined
    // A range that runs backwards matches nothing, but it is not an error.
    ranges.push([low.value, high.value])
    at = high.next
  }
  const forward = ranges.filter(([low, high]) => (low.codePointAt(0) ?? 0) <= (high.codePointAt(0) ?? 0))
  return { token: { kind: 'class', negated, ranges: forward }, next: at + 1 }
}

function readBound(characters: readonly string[], at: number): { value: string; next: number } | undefined {
  const character = characters[at]
  if (character === undefined || character === '-' || character === ']') return undefined
  if (character !== '\\') return { value: character, next: at + 1 }
  const value = characters[at + 1]
  return value === undefined ? undefined : { value, next: at + 2 }
}
