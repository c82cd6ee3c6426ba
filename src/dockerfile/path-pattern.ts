/** One element of a path pattern. */
export type PatternToken =
  | { readonly kind: 'character'; readonly value: string }
  /** `?`: one character other than a slash. */
  | { readonly kind: 'any' }
  /** `*`: characters other than slashes. */
  | { readonly kind: 'star' }
  /** `**` at the end, or before a literal rest: anything, slashes too. */
  | { readonly kind: 'deep' }
  /** `**` or a `**` with its slash before more: any number of whole directories. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }

/** A pattern ready to be matched. */
export interface PathPattern {
  readonly matches: (path: string) => boolean
  /** Whether anything below the directory could match. */
  readonly mayMatchBelow: (directory: string) => boolean
}

/** A path pattern has to match from its first to its last character. */
export function compilePattern(tokens: readonly PatternToken[]): PathPattern {
  const literal = tokens.every(token => token.kind === 'character')
    ? tokens.map(t => ('value' in t ? t.value : '')).join('')
    : undefined
  const wild = tokens.filter(({ kind }) => kind === 'star' || kind === 'deep' || kind === 'directories').length
  // A regular expression with many stars can take exponential time; walking the states cannot.
  const expression = wild <= 2 ? new RegExp(`^${tokens.map(expressionOf).join('')}$`, 'su') : undefined
  const matches =
    literal !== undefined
      ? (path: string) => path === literal
      : expression
        ? (path: string) => expression.test(path)
        : (path: string) => walk(tokens, path).has(tokens.length * 2)
  return { matches, mayMatchBelow: directory => walk(tokens, `${directory}/`).size > 0 }
}

function expressionOf(token: PatternToken): string {
  switch (token.kind) {
    case 'character':
      return escaped(token.value)
    case 'any':
      return '[^/]'
    case 'star':
      return '[^/]*'
    case 'deep':
      return '.*'
    case 'directories':
      return '(?:.*/)?'
    case 'class':
      return `[${token.negated ? '^' : ''}${token.ranges.map(([low, high]) => `${hex(low)}-${hex(high)}`).join('')}]`
  }
}

function escaped(character: string): string {
  return /[\w ]/.test(character) ? character : hex(character)
}

function hex(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

/**
 * The states that are alive after reading a path. State 2i stands before token i; 2i + 1 is inside the directories of
 * token i; the last one means a match.
 */
function walk(tokens: readonly PatternToken[], path: string): ReadonlySet<number> {
  let states = new Set<number>()
  enter(tokens, states, 0)
  for (const character of path) {
    const next = new Set<number>()
    for (const state of states) step(tokens, { state, character, next })
    states = next
    if (states.size === 0) break
  }
  return states
}

function enter(tokens: readonly PatternToken[], states: Set<number>, state: number): void {
  for (let at = state; !states.has(at); at += 2) {
    states.add(at)
    const kind = tokens[at / 2]?.kind
    if (kind === 'directories') states.add(at + 1)
    else if (kind !== 'star' && kind !== 'deep') return
  }
}

function step(
  tokens: readonly PatternToken[],
  { state, character, next }: { readonly state: number; readonly character: string; readonly next: Set<number> },
): void {
  const token = tokens[state >> 1]
  if (state % 2 === 1) {
    next.add(state)
    if (character === '/') enter(tokens, next, state + 1)
  } else if (token?.kind === 'star' ? character !== '/' : token?.kind === 'deep') enter(tokens, next, state)
  else if (token && takes(token, character)) enter(tokens, next, state + 2)
}

function takes(token: PatternToken, character: string): boolean {
  switch (token.kind) {
    case 'character':
      return token.value === character
    case 'any':
      return character !== '/'
    case 'class':
      return (
        token.negated !==
        token.ranges.some(([low, high]) => compare(low, character) <= 0 && compare(character, high) <= 0)
      )
    default:
      return false
  }
}

function compare(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0)
}
