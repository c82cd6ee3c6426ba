import type { Source, Span } from '#diagnostics'
import { isSpace, type MappedText, spanOf } from './mapped-text.ts'
import { parseShellPattern, replaceMatches, type ShellPattern, trimPrefix, trimSuffix } from './shell-pattern.ts'
import { syntaxError } from './syntax-error.ts'
import type { EscapeCharacter } from './syntax-tree.ts'

/** The value of a variable, undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

export interface ExpandOptions {
  readonly source: Source
  readonly escape: EscapeCharacter
}

/** A word after expansion. */
export interface Expansion {
  readonly value: string
  /** Names that were read and are set. */
  readonly used: readonly string[]
  /** Names that were read without a default and are not set, with their place (`$name`, `${name…}`). */
  readonly undefinedNames: readonly { readonly name: string; readonly span: Span }[]
}

/** Longest result of one word: far above what the kernel takes as one argument (128 KiB). */
const wordLimit = 1 << 20
const bodyLimit = 1 << 24
const depthLimit = 100
/** About a second of pattern matching. */
const workLimit = 1 << 26

/**
 * Expands variables and removes quotes: `$name`, `${name}` and the modifiers `:-` `-` `:+` `+` `:?` `?` `#` `##` `%`
 * `%%` `/` `//`. Unset variables become empty. Throws a `UserError` for wrong syntax, a failing `?`, and a result of
 * more than 1 MiB.
 */
export function expandWord(word: MappedText, lookup: Lookup, options: ExpandOptions): Expansion {
  const { words: _, ...expansion } = expand(word, lookup, { ...options, quotes: true, limit: wordLimit })
  return expansion
}

/** As `expandWord`, then cut at white space that is not quoted: for EXPOSE. */
export function expandToWords(
  word: MappedText,
  lookup: Lookup,
  options: ExpandOptions,
): Expansion & { readonly words: readonly string[] } {
  return expand(word, lookup, { ...options, quotes: true, limit: wordLimit })
}

/** Expands a heredoc body: quotes are plain text, the escape character is always a backslash. At most 16 MiB. */
export function expandHeredoc(body: MappedText, lookup: Lookup, source: Source): Expansion {
  const { words: _, ...expansion } = expand(body, lookup, { source, escape: '\\', quotes: false, limit: bodyLimit })
  return expansion
}

interface State {
  readonly word: MappedText
  readonly lookup: Lookup
  readonly settings: ExpandOptions & { readonly quotes: boolean; readonly limit: number }
  readonly used: Set<string>
  readonly undefinedNames: { name: string; span: Span }[]
  at: number
  depth: number
  /** Steps of pattern matching so far. */
  work: number
}

function expand(
  word: MappedText,
  lookup: Lookup,
  settings: State['settings'],
): Expansion & { readonly words: readonly string[] } {
  const state: State = { word, lookup, settings, used: new Set(), undefinedNames: [], at: 0, depth: 0, work: 0 }
  const out = readUntil(state, undefined, false)
  return { value: out.text, words: out.words, used: [...state.used], undefinedNames: state.undefinedNames }
}

/** Collects a result and, beside it, its words. */
interface Output {
  text: string
  readonly words: string[]
  open: string
}

function add(state: State, out: Output, { text, splits }: { readonly text: string; readonly splits: boolean }): void {
  out.text += text
  if (out.text.length > state.settings.limit) {
    throw fail(state, 0, `the expanded text is longer than ${state.settings.limit >> 20} MiB`, 'use shorter values')
  }
  if (!splits) {
    out.open += text
    return
  }
  for (const character of text) {
    if (!isSpace(character)) out.open += character
    else if (out.open !== '') out.words.push(out.open)
    if (isSpace(character)) out.open = ''
  }
}

/** Reads up to the unquoted character `stop` (taken, not part of the result), or to the end when there is none. */
function readUntil(state: State, stop: string | undefined, keepEscapes: boolean): Output {
  const { text } = state.word
  const out: Output = { text: '', words: [], open: '' }
  const start = state.at
  while (state.at < text.length) {
    const character = text[state.at] ?? ''
    if (character === stop) {
      state.at++
      return closed(out)
    }
    if (character === '$') add(state, out, { text: readDollar(state), splits: true })
    else if (character === "'" && state.settings.quotes) add(state, out, { text: readSingle(state), splits: false })
    else if (character === '"' && state.settings.quotes) {
      add(state, out, { text: readDouble(state, keepEscapes), splits: false })
    } else if (character === state.settings.escape) {
      const kept = text.slice(state.at + (keepEscapes ? 0 : 1), state.at + 2)
      state.at += 2
      add(state, out, { text: kept, splits: false })
    } else {
      const plain = plainText(state, stop)
      state.at += plain.length
      add(state, out, { text: plain, splits: true })
    }
  }
  state.at = Math.min(state.at, text.length)
  if (stop === undefined) return closed(out)
  throw fail(state, start, `missing ${stop} in \${…}`, `close it with ${stop}; quote a value that has blanks`)
}

function closed(out: Output): Output {
  if (out.open !== '') out.words.push(out.open)
  return out
}

/** The stretch of characters that mean nothing special. */
function plainText(state: State, stop: string | undefined): string {
  const { text } = state.word
  const { quotes, escape } = state.settings
  let end = state.at + 1
  for (; end < text.length; end++) {
    const character = text[end] ?? ''
    if (character === '$' || character === stop || character === escape) break
    if (quotes && (character === "'" || character === '"')) break
  }
  return text.slice(state.at, end)
}

function readSingle(state: State): string {
  const start = state.at
  const close = state.word.text.indexOf("'", start + 1)
  if (close === -1) throw fail(state, start, 'a single quote is not closed', "add the closing '")
  state.at = close + 1
  return state.word.text.slice(start + 1, close)
}

function readDouble(state: State, keepEscapes: boolean): string {
  const { text } = state.word
  const { escape } = state.settings
  const start = state.at
  state.at++
  let out = ''
  while (state.at < text.length) {
    const character = text[state.at] ?? ''
    if (character === '"') {
      state.at++
      return out
    }
    if (character === '$') out += readDollar(state)
    else if (character === escape) {
      const next = text[state.at + 1] ?? ''
      const special = next === '"' || next === '$' || next === escape
      // Where escapes are kept for a pattern, a backslash that protects nothing stands for itself: it is doubled.
      out += keepEscapes ? character + (special ? next : character) : special ? next : character
      state.at += special ? 2 : 1
    } else {
      out += character
      state.at++
    }
    if (out.length > state.settings.limit)
      throw fail(state, start, 'the expanded text is too long', 'use shorter values')
  }
  throw fail(state, start, 'a double quote is not closed', 'add the closing "')
}

function readDollar(state: State): string {
  const start = state.at
  state.at++
  if (state.word.text[state.at] !== '{') {
    const name = readName(state)
    return name === '' ? '$' : read(state, name, start)
  }
  state.at++
  if (++state.depth > depthLimit)
    throw fail(state, start, 'variables are nested too deeply', 'use an ARG or ENV in between')
  const value = readBraces(state, start)
  state.depth--
  return value
}

function readBraces(state: State, start: number): string {
  const { text } = state.word
  const name = readName(state)
  if (state.at >= text.length) throw missingBrace(state, start)
  if (name === '') throw fail(state, start, 'bad substitution', 'write ${NAME}, with a name right behind the brace')
  const operator = text[state.at] ?? ''
  const colon = operator === ':'
  const sign = colon ? (text[state.at + 1] ?? '') : operator
  state.at += colon ? 2 : 1
  if (operator === '}') return read(state, name, start)
  if (sign === '-' || sign === '+' || sign === '?') return conditional(state, { name, sign, colon, start })
  if (!colon && (sign === '#' || sign === '%')) return trimmed(state, { name, sign, start })
  if (!colon && sign === '/') return replaced(state, { name, start })
  if (sign === '') throw missingBrace(state, start)
  throw fail(
    state,
    start,
    `unsupported modifier (${colon ? ':' : ''}${sign}) in substitution`,
    'modifiers are :- - :+ + :? ? # ## % %% / and //',
  )
}

function conditional(
  state: State,
  {
    name,
    sign,
    colon,
    start,
  }: { readonly name: string; readonly sign: string; readonly colon: boolean; readonly start: number },
): string {
  const { text: word } = readUntil(state, '}', false)
  const value = state.lookup(name)
  if (value !== undefined) state.used.add(name)
  const missing = value === undefined || (colon && value === '')
  if (sign === '-') return missing ? word : value
  if (sign === '+') return missing ? '' : word
  if (!missing) return value
  const why = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty'
  throw fail(state, start, `${name}: ${word === '' ? why : word}`, `set it with --build-arg ${name}=…, ARG or ENV`)
}

function trimmed(
  state: State,
  { name, sign, start }: { readonly name: string; readonly sign: '#' | '%'; readonly start: number },
): string {
  const longest = state.word.text[state.at] === sign
  if (longest) state.at++
  const pattern = patternOf(state, readUntil(state, '}', true).text, start)
  const value = measured(state, read(state, name, start), pattern)
  return sign === '#' ? trimPrefix(value, pattern, longest) : trimSuffix(value, pattern, longest)
}

function replaced(state: State, { name, start }: { readonly name: string; readonly start: number }): string {
  const all = state.word.text[state.at] === '/'
  if (all) state.at++
  const pattern = patternOf(state, readUntil(state, '/', true).text, start)
  const text = readUntil(state, '}', true).text.replace(/\\([}/])/g, '$1')
  const value = measured(state, read(state, name, start), pattern)
  return replaceMatches(value, pattern, { text, all, limit: state.settings.limit })
}

/** The value, after counting what matching it may cost. */
function measured(state: State, value: string, { pieces }: ShellPattern): string {
  state.work += value.length * pieces.reduce((sum, piece) => sum + piece.length + 1, 0)
  if (state.work <= workLimit) return value
  throw fail(state, 0, 'the patterns and values in this word are too long', 'compute the value in a RUN instead')
}

function patternOf(state: State, text: string, start: number): ShellPattern {
  const pattern = parseShellPattern(text)
  if (pattern) return pattern
  throw fail(
    state,
    start,
    `invalid escape in pattern ${JSON.stringify(text)}`,
    'a backslash may stand before * ? \\ } and / only',
  )
}

function read(state: State, name: string, start: number): string {
  const value = state.lookup(name)
  if (value === undefined) state.undefinedNames.push({ name, span: spanOf(state.word, start, state.at) })
  else state.used.add(name)
  return value ?? ''
}

/** The usual one: what follows it is ASCII, too. The classes of Unicode in the other take milliseconds to get ready. */
const asciiNameForm = /(?:[0-9]+(?![0-9])|[@*#?\-$!]|[A-Za-z_]\w*(?!\w))(?![^\0-\x7f])/y
const nameForm = /\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*/uy

/** A name, a run of digits, or one of the shell's special parameters; empty when none is there. */
function readName(state: State): string {
  asciiNameForm.lastIndex = nameForm.lastIndex = state.at
  const name = (asciiNameForm.exec(state.word.text) ?? nameForm.exec(state.word.text))?.[0] ?? ''
  state.at += name.length
  return name
}

function missingBrace(state: State, start: number): Error {
  return fail(state, start, "missing '}'", 'close ${ with }; quote a value that has blanks')
}

function fail(state: State, start: number, message: string, hint: string): Error {
  const end = Math.min(state.word.text.length, Math.max(state.at, start + 1))
  return syntaxError(state.settings.source, spanOf(state.word, Math.min(start, end), end), { message, hint })
}
