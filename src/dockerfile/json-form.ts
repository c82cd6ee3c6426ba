import { buildText, isSpace, type MappedText, offsetOf, spanOf } from './mapped-text.ts'
import type { Word } from './syntax-tree.ts'

/** What an argument that may be a JSON array of strings turns out to be. */
export type JsonForm =
  | { readonly kind: 'array'; readonly words: readonly Word[] }
  /** Valid JSON with something else than strings inside. */
  | { readonly kind: 'not-strings' }
  /** Anything else: taken as text. */
  | { readonly kind: 'text' }

/** Reads an argument in exec form: it must be one JSON array (RFC 8259) from its first character to its last. */
export function parseJsonForm(argument: MappedText): JsonForm {
  let start = 0
  while (isSpace(argument.text[start] ?? 'x')) start++
  if (argument.text[start] !== '[') return { kind: 'text' }
  let values: unknown
  try {
    values = JSON.parse(argument.text.slice(start))
  } catch {
    return { kind: 'text' }
  }
  if (!Array.isArray(values)) return { kind: 'text' }
  if (values.some(value => typeof value !== 'string')) return { kind: 'not-strings' }
  const words: Word[] = []
  for (const literal of argument.text.matchAll(/"(?:[^"\\]|\\.)*"/g)) {
    words.push(decode(argument, literal.index, literal[0]))
  }
  return { kind: 'array', words }
}

const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function decode(argument: MappedText, start: number, literal: string): Word {
  const builder = buildText()
  for (const piece of literal.slice(1, -1).matchAll(/\\u([0-9a-fA-F]{4})|\\(.)|[^\\]/gs)) {
    const offset = offsetOf(argument, start + 1 + piece.index)
    if (piece[1] !== undefined) builder.add(String.fromCharCode(Number.parseInt(piece[1], 16)), offset)
    else if (piece[2] !== undefined) builder.add(simpleEscapes[piece[2]] ?? piece[2], offset)
    else builder.add(piece[0], offset)
  }
  const inner = builder.finish(offsetOf(argument, start))
  // A lone surrogate cannot be written as UTF-8; Go's decoder replaces it too.
  const text = inner.text.isWellFormed() ? inner.text : inner.text.toWellFormed()
  return { text, runs: inner.runs, span: spanOf(argument, start, start + literal.length) }
}
