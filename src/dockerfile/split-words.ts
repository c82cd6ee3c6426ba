import { isSpace, type MappedText, sliceText, spanOf } from './mapped-text.ts'
import type { EscapeCharacter, Word } from './syntax-tree.ts'

/** A mapped text as a node of the tree. */
export function toWord(text: MappedText): Word {
  return { ...text, span: spanOf(text) }
}

/** Cut at blanks; quotes mean nothing. */
export function splitAtBlanks(argument: MappedText): readonly Word[] {
  return [...argument.text.matchAll(/[^\t\v\f\r ]+/g)].map(({ 0: word, index }) =>
    toWord(sliceText(argument, index, index + word.length)),
  )
}

/** Cut at white space outside quotes; quotes and escapes stay in place. For ENV, LABEL and ARG. */
export function splitQuotedWords(argument: MappedText, escape: EscapeCharacter): readonly Word[] {
  const { text } = argument
  const words: Word[] = []
  let at = 0
  while (at < text.length) {
    if (isSpace(text[at] ?? '')) {
      at++
      continue
    }
    const end = endOfWord(text, at, escape)
    words.push(toWord(sliceText(argument, at, end)))
    at = end
  }
  return words
}

function endOfWord(text: string, start: number, escape: EscapeCharacter): number {
  let quote = ''
  let at = start
  for (; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === quote) quote = ''
    else if (character === escape && quote !== "'") at++
    else if (quote === '' && (character === "'" || character === '"')) quote = character
    else if (quote === '' && isSpace(character)) break
  }
  return Math.min(at, text.length)
}
