import { splitKeyword } from './keyword.ts'
import { lexFlags } from './lex-flags.ts'
import { isSpace, type MappedText } from './mapped-text.ts'
import { parseJsonForm } from './json-form.ts'
import type { EscapeCharacter } from './syntax-tree.ts'

/** A heredoc word in an instruction line; `start` and `end` are indexes in the joined text. */
export interface FoundHeredoc {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly expand: boolean
  readonly chomp: boolean
}

/** The heredocs that an instruction line announces: only RUN, COPY and ADD (also under ONBUILD), never in JSON form. */
export function findHeredocs(line: MappedText, escape: EscapeCharacter): readonly FoundHeredoc[] {
  if (!line.text.includes('<<') || !takesHeredocs(line, escape)) return []
  const words = shellWords(line.text)
  return words.flatMap(([start, end]) => {
    const found = heredocWord(line.text.slice(start, end))
    return found ? [{ start, end, ...found }] : []
  })
}

function takesHeredocs(line: MappedText, escape: EscapeCharacter): boolean {
  const { keyword, rest } = splitKeyword(line)
  const name = keyword.text.toUpperCase()
  const { rest: argument } = lexFlags(rest, escape)
  if (name === 'ONBUILD') {
    return splitKeyword(argument).keyword.text.toUpperCase() !== 'ONBUILD' && takesHeredocs(argument, escape)
  }
  return (name === 'RUN' || name === 'COPY' || name === 'ADD') && parseJsonForm(argument).kind !== 'array'
}

/**
 * Index ranges of the words of a shell line: quotes and backslashes protect blanks, and blanks may follow `<<`. Empty
 * when a quote is not closed, since then nothing can be told.
 */
function shellWords(text: string): readonly (readonly [number, number])[] {
  const words: [number, number][] = []
  let start = -1
  let at = 0
  while (at < text.length) {
    const character = text[at] ?? ''
    if (isSpace(character)) {
      if (start !== -1) words.push([start, at])
      start = -1
      at++
      continue
    }
    if (start === -1) start = at
    const next = endOfPiece(text, at)
    if (next === -1) return []
    at = next
  }
  if (start !== -1) words.push([start, text.length])
  return words
}

function endOfPiece(text: string, at: number): number {
  const character = text[at]
  if (character === "'") {
    const close = text.indexOf("'", at + 1)
    return close === -1 ? -1 : close + 1
  }
  if (character === '"') {
    for (let i = at + 1; i < text.length; i++) {
      if (text[i] === '\\') i++
      else if (text[i] === '"') return i + 1
    }
    return -1
  }
  if (character === '\\') return Math.min(at + 2, text.length)
  if (text.startsWith('<<', at) && text[at + 2] !== '<') {
    const blanks = /<<-?[ \t]*/y
    blanks.lastIndex = at
    const end = at + (blanks.exec(text)?.[0].length ?? 2)
    return end < text.length ? end : at + 2
  }
  if (text.startsWith('<<', at)) return at + (/^<+/.exec(text.slice(at))?.[0].length ?? 1)
  return at + 1
}

function heredocWord(word: string): Omit<FoundHeredoc, 'start' | 'end'> | undefined {
  const match = /^\d*<<(-?)\s*([^<]*)$/.exec(word)
  if (!match) return undefined
  const { name, quoted } = unquote(match[2] ?? '')
  return name === '' ? undefined : { name, expand: !quoted, chomp: match[1] === '-' }
}

function unquote(text: string): { readonly name: string; readonly quoted: boolean } {
  let name = ''
  let quote = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? ''
    if (quote === '' && (character === "'" || character === '"')) {
      quote = character
      quoted = true
    } else if (character === quote) quote = ''
    else if (character === '\\' && (quote === '' || (quote === '"' && /["$\\]/.test(text[i + 1] ?? '')))) {
      i++
      name += text[i] ?? ''
    } else name += character
  }
  return { name, quoted }
}
