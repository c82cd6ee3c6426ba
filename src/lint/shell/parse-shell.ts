import { type MappedText, spanOf } from '#dockerfile'
import type { ShellCommand, ShellWord } from './shell-command.ts'

/** Takes a shell text apart as far as rules need it: commands, words, and what joins them. Never throws. */
export function parseShell(text: MappedText): readonly ShellCommand[] {
  const state: State = { text, at: 0, lists: 0, commands: [] }
  readList(state, { depth: 0, end: '' })
  return state.commands
}

interface State {
  readonly text: MappedText
  at: number
  lists: number
  readonly commands: ShellCommand[]
}

interface Context {
  readonly depth: number
  /** What ends the list: `)`, a backtick, or nothing. */
  readonly end: '' | ')' | '`'
}

/** Words of the grammar before which no program stands. */
const keywords = new Set([
  'if',
  'then',
  'elif',
  'else',
  'do',
  'while',
  'until',
  '!',
  '{',
  'time',
  'fi',
  'done',
  'esac',
  '}',
  'in',
])
const wrappers = new Set(['sudo', 'env', 'exec', 'command', 'nice', 'nohup', 'time', 'eatmydata', 'builtin', 'doas'])

function readList(state: State, context: Context): void {
  const list = state.lists++
  let joint: ShellCommand['joint'] = ''
  let words: ShellWord[] = []
  let redirections: ShellWord[] = []
  const close = (next: ShellCommand['joint']): void => {
    const command = commandOf(words, redirections, { joint, depth: context.depth, list })
    if (command) {
      state.commands.push(command)
      joint = next
    } else if (next !== ';' || joint === '') joint = next === '' ? joint : next
    words = []
    redirections = []
  }
  const source = state.text.text
  while (state.at < source.length) {
    const character = source[state.at] as string
    if (character === context.end) break
    if (character === '#' && isBlankBefore(source, state.at)) {
      const end = source.indexOf('\n', state.at)
      state.at = end === -1 ? source.length : end
    } else if (character === '\n' || character === ';') {
      state.at++
      close(';')
    } else if (character === '&' && source[state.at + 1] === '&') {
      state.at += 2
      close('&&')
    } else if (character === '|') {
      const two = source[state.at + 1] === '|'
      state.at += two || source[state.at + 1] === '&' ? 2 : 1
      close(two ? '||' : '|')
    } else if (character === '&' && source[state.at + 1] !== '>') {
      state.at++
      close('&')
    } else if (character === '(') {
      state.at++
      close(joint === '' ? '' : joint)
      readList(state, { depth: context.depth + 1, end: ')' })
      state.at++
    } else if (character === ')') {
      // Of a case pattern.
      state.at++
      words = []
    } else if (/\s/.test(character)) state.at++
    else if (/^(?:\d*[<>]|&>)/.test(source.slice(state.at, state.at + 4))) readRedirection(state, redirections, context)
    else words.push(readWord(state, context))
  }
  close('')
}

function isBlankBefore(source: string, at: number): boolean {
  return at === 0 || /[\s;&|(]/.test(source[at - 1] as string)
}

function readRedirection(state: State, into: ShellWord[], context: Context): void {
  const source = state.text.text
  const operator = /^(?:\d*(?:<<<|<<-|<<|<>|<&|>>|>&|>\||<|>)|&>>?)/.exec(source.slice(state.at))?.[0] ?? '>'
  if (/^[<>]\(/.test(source.slice(state.at))) {
    state.at += 2
    readList(state, { depth: context.depth + 1, end: ')' })
    state.at++
    return
  }
  state.at += operator.length
  while (source[state.at] === ' ' || source[state.at] === '\t') state.at++
  if (state.at < source.length && !/[\n;&|)]/.test(source[state.at] as string)) {
    const word = readWord(state, context)
    if (operator.includes('>')) into.push(word)
  }
}

function readWord(state: State, context: Context): ShellWord {
  const source = state.text.text
  const start = state.at
  let text = ''
  let quoted = false
  let variable = false
  while (state.at < source.length) {
    const character = source[state.at] as string
    if (/[\s;&|()<>]/.test(character) || character === context.end) break
    if (character === "'") {
      const end = source.indexOf("'", state.at + 1)
      text += source.slice(state.at + 1, end === -1 ? undefined : end)
      state.at = end === -1 ? source.length : end + 1
      quoted = true
    } else if (character === '"') {
      const inner = readDoubleQuoted(state, context)
      text += inner.text
      variable ||= inner.variable
      quoted = true
    } else if (character === '\\') {
      if (source[state.at + 1] !== '\n') text += source[state.at + 1] ?? ''
      state.at += 2
    } else if (character === '$' || character === '`') {
      text += readExpansion(state, context)
      variable = true
    } else {
      if (character === '*' || character === '?' || character === '[') variable = true
      text += character
      state.at++
    }
  }
  if (state.at === start) state.at++
  return { text, span: spanOf(state.text, start, state.at), quoted, variable }
}

function readDoubleQuoted(state: State, context: Context): { readonly text: string; readonly variable: boolean } {
  const source = state.text.text
  let text = ''
  let variable = false
  state.at++
  while (state.at < source.length && source[state.at] !== '"') {
    const character = source[state.at] as string
    if (character === '\\') {
      text += /["\\$`]/.test(source[state.at + 1] ?? '') ? source[state.at + 1] : source.slice(state.at, state.at + 2)
      state.at += 2
    } else if (character === '$' || character === '`') {
      text += readExpansion(state, context)
      variable = true
    } else {
      text += character
      state.at++
    }
  }
  state.at++
  return { text, variable }
}

/** `$NAME`, `${…}`, `$(…)`, `$((…))` and backticks, as written; commands inside become commands of their own. */
function readExpansion(state: State, { depth, end }: Context): string {
  const source = state.text.text
  const start = state.at
  if (source[start] === '`') {
    state.at++
    if (end === '`') return ''
    readList(state, { depth: depth + 1, end: '`' })
    state.at++
  } else if (source.startsWith('$((', start)) {
    const close = source.indexOf('))', start)
    state.at = close === -1 ? source.length : close + 2
  } else if (source.startsWith('$(', start)) {
    state.at += 2
    readList(state, { depth: depth + 1, end: ')' })
    state.at++
  } else if (source.startsWith('${', start)) {
    let open = 0
    for (; state.at < source.length; state.at++) {
      if (source[state.at] === '{') open++
      else if (source[state.at] === '}' && --open === 0) break
    }
    state.at++
  } else state.at += /^\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])?/.exec(source.slice(start, start + 200))?.[0].length ?? 1
  return source.slice(start, state.at)
}

function commandOf(
  words: readonly ShellWord[],
  redirections: readonly ShellWord[],
  place: Pick<ShellCommand, 'joint' | 'depth' | 'list'>,
): ShellCommand | undefined {
  let first = 0
  while (first < words.length && !words[first]?.quoted && keywords.has(words[first]?.text ?? '')) first++
  // `for x in …` and `case x in` run nothing themselves.
  if (['for', 'case', 'function', 'select'].includes(words[first]?.text ?? '')) return undefined
  let at = first
  for (;;) {
    const word = words[at]
    if (!word) break
    if (/^[A-Za-z_]\w*=/.test(word.text) && at + 1 < words.length) at++
    else if (wrappers.has(word.text) && at + 1 < words.length) {
      at++
      while (words[at]?.text.startsWith('-') && at + 1 < words.length) at++
    } else break
  }
  const program = words[at]
  if (!program || /^[A-Za-z_]\w*=/.test(program.text)) return undefined
  const begin = words[first] ?? program
  const last = words.at(-1) ?? program
  return {
    ...place,
    name: program.text.replace(/^.*\//, ''),
    program,
    args: words.slice(at + 1),
    before: words.slice(first, at),
    redirections,
    span: { start: begin.span.start, end: last.span.end },
  }
}
