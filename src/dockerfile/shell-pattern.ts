/**
 * Patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*` is any text, `?` any one character,
 * a backslash protects `*`, `?`, `\`, `}` and `/`. There are no bracket expressions. Matching takes linear time in the
 * value for each stretch between stars.
 */
export interface ShellPattern {
  /** What stands between the stars: at least one piece, possibly empty; `undefined` is `?`. */
  readonly pieces: readonly (readonly (string | undefined)[])[]
}

/** Reads a pattern; undefined when it has an invalid escape. */
export function parseShellPattern(text: string): ShellPattern | undefined {
  const pieces: (string | undefined)[][] = [[]]
  const characters = Array.from(text)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === '*') pieces.push([])
    else if (character === '?') pieces.at(-1)?.push(undefined)
    else if (character === '\\') {
      i++
      const next = characters[i]
      if (next === undefined || !'*?\\}/'.includes(next)) return undefined
      pieces.at(-1)?.push(next)
    } else pieces.at(-1)?.push(character)
  }
  return { pieces }
}

/** Cuts the shortest or longest match off the start of a value. */
export function trimPrefix(value: string, pattern: ShellPattern, longest: boolean): string {
  const characters = Array.from(value)
  const end = matchAt(characters, pattern, { start: 0, longest })
  return end === -1 ? value : characters.slice(end).join('')
}

/** Cuts the shortest or longest match off the end of a value. */
export function trimSuffix(value: string, pattern: ShellPattern, longest: boolean): string {
  const reversed = { pieces: pattern.pieces.map(piece => piece.toReversed()).toReversed() }
  const characters = Array.from(value).reverse()
  const end = matchAt(characters, reversed, { start: 0, longest })
  return end === -1 ? value : characters.slice(end).reverse().join('')
}

/**
 * Replaces the first match or every match; each match is as long as can be. Stops early when the result becomes longer
 * than `limit`.
 */
export function replaceMatches(
  value: string,
  pattern: ShellPattern,
  { text, all, limit }: { readonly text: string; readonly all: boolean; readonly limit: number },
): string {
  const characters = Array.from(value)
  const out: string[] = []
  let at = 0
  let lastEnd = -1
  let length = 0
  for (;;) {
    const match = findMatch(characters, pattern, at)
    if (!match) break
    out.push(...characters.slice(at, match.start))
    // An empty match directly behind a match is none.
    if (match.end > match.start || match.start !== lastEnd) {
      out.push(text)
      length += text.length
    }
    lastEnd = match.end
    at = match.end
    if (match.end === match.start) {
      if (at < characters.length) out.push(characters[at] ?? '')
      at++
    }
    if (!all || at > characters.length || length > limit) break
  }
  return out.join('') + characters.slice(at).join('')
}

function findMatch(
  characters: readonly string[],
  pattern: ShellPattern,
  from: number,
): { readonly start: number; readonly end: number } | undefined {
  const start = indexOfPiece(characters, pattern.pieces[0] ?? [], from)
  if (start === -1) return undefined
  // The first place of the first piece leaves most room for the others: when they fail here, they fail everywhere.
  const end = matchAt(characters, pattern, { start, longest: true })
  return end === -1 ? undefined : { start, end }
}

/** End of the match that starts at `start`, or -1. */
function matchAt(
  characters: readonly string[],
  { pieces }: ShellPattern,
  { start, longest }: { readonly start: number; readonly longest: boolean },
): number {
  const [first = [], ...others] = pieces
  if (!pieceAt(characters, first, start)) return -1
  let at = start + first.length
  for (const [i, piece] of others.entries()) {
    const last = i === others.length - 1
    const found = last && longest ? lastIndexOfPiece(characters, piece, at) : indexOfPiece(characters, piece, at)
    if (found === -1) return -1
    at = found + piece.length
  }
  return at
}

type Piece = ShellPattern['pieces'][number]

function pieceAt(characters: readonly string[], piece: Piece, at: number): boolean {
  if (at + piece.length > characters.length) return false
  return piece.every((character, i) => character === undefined || character === characters[at + i])
}

function indexOfPiece(characters: readonly string[], piece: Piece, from: number): number {
  for (let at = from; at + piece.length <= characters.length; at++) if (pieceAt(characters, piece, at)) return at
  return -1
}

function lastIndexOfPiece(characters: readonly string[], piece: Piece, from: number): number {
  for (let at = characters.length - piece.length; at >= from; at--) if (pieceAt(characters, piece, at)) return at
  return -1
}
