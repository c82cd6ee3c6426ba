import { buildText, isSpace, type MappedText, offsetOf, sliceText, spanOf, trimText } from './mapped-text.ts'
import type { EscapeCharacter, Flag } from './syntax-tree.ts'

/**
 * Takes the leading `--name[=value]` words off an instruction's arguments. Quotes of both kinds and the escape
 * character are processed and removed; a bare `--` ends the flags.
 */
export function lexFlags(
  argument: MappedText,
  escape: EscapeCharacter,
): { readonly flags: readonly Flag[]; readonly rest: MappedText } {
  const flags: Flag[] = []
  let at = skipSpace(argument.text, 0)
  while (argument.text.startsWith('--', at)) {
    const { word, end } = lexWord(argument, at, escape)
    const start = at
    at = skipSpace(argument.text, end)
    if (word.text === '--') break
    flags.push(toFlag(word, argument, { start, end }))
  }
  return { flags, rest: trimText(sliceText(argument, at)) }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text[at] ?? '')) at++
  return at
}

function lexWord(argument: MappedText, start: number, escape: EscapeCharacter): { word: MappedText; end: number } {
  const { text } = argument
  const builder = buildText()
  let quote = ''
  let at = start
  for (; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quote === '' && isSpace(character)) break
    if (character === quote) quote = ''
    else if (quote === '' && (character === "'" || character === '"')) quote = character
    else {
      if (character === escape) at++
      if (at < text.length) builder.add(text[at] ?? '', offsetOf(argument, at))
    }
  }
  const end = Math.min(at, text.length)
  return { word: builder.finish(offsetOf(argument, start)), end }
}

function toFlag(word: MappedText, argument: MappedText, { start, end }: { start: number; end: number }): Flag {
  const equals = word.text.indexOf('=')
  const span = spanOf(argument, start, end)
  if (equals === -1) return { name: word.text.slice(2), span }
  const value = sliceText(word, equals + 1)
  return { name: word.text.slice(2, equals), span, value: { ...value, span: spanOf(value) } }
}
