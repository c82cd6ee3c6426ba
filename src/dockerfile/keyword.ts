import { type MappedText, sliceText, trimText } from './mapped-text.ts'

/** An instruction line cut at the first run of blanks. */
export function splitKeyword(line: MappedText): { readonly keyword: MappedText; readonly rest: MappedText } {
  const text = trimText(line)
  const gap = /[\t\v\f\r ]+/.exec(text.text)
  if (!gap) return { keyword: text, rest: sliceText(text, text.text.length) }
  return { keyword: sliceText(text, 0, gap.index), rest: sliceText(text, gap.index + gap[0].length) }
}
