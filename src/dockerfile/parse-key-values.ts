import { sliceText } from './mapped-text.ts'
import { type Draft, missingArgument } from './draft.ts'
import { splitQuotedWords, toWord } from './split-words.ts'
import { syntaxError } from './syntax-error.ts'
import type { KeyValuesInstruction, Word } from './syntax-tree.ts'

/** `NAME=value …`, or the old `NAME value to the end of the line`. */
export function parseKeyValues(draft: Draft, kind: KeyValuesInstruction['kind']): KeyValuesInstruction {
  const words = splitQuotedWords(draft.argument, draft.escape)
  const [first] = words
  if (!first) throw missingArgument(draft, `${draft.name} needs at least one pair`, `write ${draft.name} NAME=value`)
  if (!first.text.includes('=')) return legacyPair(draft, kind)
  return { ...draft.base, kind, legacy: false, pairs: words.map(word => pairOf(draft, word)) }
}

function pairOf(draft: Draft, word: Word): KeyValuesInstruction['pairs'][number] {
  const equals = word.text.indexOf('=')
  if (equals === -1) {
    throw syntaxError(draft.source, word.span, {
      message: `no = in ${JSON.stringify(word.text)}; it must be of the form NAME=value`,
      hint: 'put a value with blanks into double quotes',
    })
  }
  if (equals === 0) throw blankName(draft, word)
  return { name: toWord(sliceText(word, 0, equals)), value: toWord(sliceText(word, equals + 1)), span: word.span }
}

function legacyPair(draft: Draft, kind: KeyValuesInstruction['kind']): KeyValuesInstruction {
  const { argument } = draft
  const gap = /[\t\v\f\r ]+/.exec(argument.text)
  if (!gap) {
    throw syntaxError(draft.source, toWord(argument).span, {
      message: `${draft.name} needs a value for ${argument.text}`,
      hint: `write ${draft.name} ${argument.text}=value`,
    })
  }
  const name = toWord(sliceText(argument, 0, gap.index))
  const value = toWord(sliceText(argument, gap.index + gap[0].length))
  return { ...draft.base, kind, legacy: true, pairs: [{ name, value, span: toWord(argument).span }] }
}

function blankName(draft: Draft, word: Word): Error {
  return syntaxError(draft.source, word.span, {
    message: `${draft.name} names cannot be blank`,
    hint: `write ${draft.name} NAME=value, without blanks around =`,
  })
}
