/** The output of a command as lines that are safe to print. */
export interface LogLines {
  /** Takes bytes as they came; gives the lines that became complete. */
  readonly write: (data: Uint8Array) => string[]
  /** The line that is not complete yet, as a terminal would show it now: a prompt, a progress bar. */
  readonly pending: () => string
  /** Gives the last line if it had no line end. */
  readonly end: () => string[]
}

/** A line longer than this (UTF-16 units) is given out in pieces: memory must not grow with a hostile log. */
const longestLine = 16_384
/** A control string (window title, hyperlink) that is still open after this many characters is taken for text again. */
const longestControl = 4_096
const tabWidth = 8

type State = 'text' | 'escape' | 'intermediate' | 'sequence' | 'string' | 'string-escape'

/**
 * Follows a log as a terminal of one line would: UTF-8 across chunks, escape sequences and control characters removed
 * (ECMA-48), tabs expanded, backspace and carriage return overwrite, so that a progress bar drawn with `\r` counts as
 * one line with its last state.
 */
export function openLogLines(): LogLines {
  const decoder = new TextDecoder('utf-8')
  let state: State = 'text'
  let sequence = ''
  let line = ''
  /** A carriage return was seen: the next printed character starts the line anew. */
  let returned = false
  let complete: string[] = []

  const finish = (): void => {
    complete.push(line.trimEnd())
    line = ''
    returned = false
  }
  const print = (text: string): void => {
    if (returned) line = ''
    returned = false
    line += text
    if (line.length >= longestLine) finish()
  }
  const control = (character: string): void => {
    if (character === '\n') finish()
    else if (character === '\r') returned = true
    else if (character === '\b') line = dropLast(line)
    else if (character === '\t') print(' '.repeat(tabWidth - (line.length % tabWidth)))
    else if (character === '\x1b') state = 'escape'
    else if (character === '\x9b') openSequence('sequence')
    else if (isStringOpener(character)) openSequence('string')
  }
  const openSequence = (next: State): void => {
    state = next
    sequence = ''
  }
  const closeSequence = (final: string): void => {
    state = 'text'
    // "Cursor to column 1" and "erase the whole line": other ways to draw a progress bar.
    if ((final === 'G' && /^[01]?$/.test(sequence)) || (final === 'K' && sequence === '2')) returned = true
  }
  const step = (character: string): void => {
    if (character === '\n' && state !== 'text') state = 'text'
    switch (state) {
      case 'text':
        if (isControl(character)) control(character)
        else if (!isSteering(character)) print(character)
        return
      case 'escape':
        if (character === '[') openSequence('sequence')
        else if (/[\]PX^_]/.test(character)) openSequence('string')
        else if (character >= ' ' && character <= '/') state = 'intermediate'
        else state = character === '\x1b' ? 'escape' : 'text'
        return
      case 'intermediate':
        if (character < ' ' || character > '/') state = 'text'
        return
      case 'sequence':
        if (character === '\x1b') state = 'escape'
        else if (character >= '@' && character <= '~') closeSequence(character)
        else if (character < ' ' || character > '~' || sequence.length > longestControl) state = 'text'
        else sequence += character
        return
      case 'string':
        if (character === '\x1b') state = 'string-escape'
        else if (character === '\x07' || character === '\x9c' || sequence.length > longestControl) state = 'text'
        else sequence += '.'
        return
      case 'string-escape':
        state = character === '\x1b' ? 'string-escape' : 'text'
        return
    }
  }
  const feed = (text: string): string[] => {
    complete = []
    for (let at = 0; at < text.length; ) {
      // Whole runs of plain text at once: a log is mostly that, and a character at a time is slow.
      const run = state === 'text' ? plainRun(text, at) : 0
      // Elsewhere whole code points: half a surrogate pair would confuse the expressions.
      const character = run > 0 ? '' : String.fromCodePoint(text.codePointAt(at) ?? 0)
      if (run > 0) print(text.slice(at, at + run))
      else step(character)
      at += Math.max(character.length, run)
    }
    return complete
  }
  return {
    write: data => feed(decoder.decode(data, { stream: true })),
    pending: () => line.trimEnd(),
    end: () => {
      const lines = feed(decoder.decode())
      return line.trimEnd() === '' ? lines : [...lines, line.trimEnd()]
    },
  }
}

const plain = /[^\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]{1,4096}/uy

function plainRun(text: string, at: number): number {
  plain.lastIndex = at
  return plain.exec(text)?.[0].length ?? 0
}

function isControl(character: string): boolean {
  return character < ' ' || (character >= '\x7f' && character <= '\x9f')
}

/** Marks that turn the writing direction or break lines: not shown, they can fake what a line says. */
function isSteering(character: string): boolean {
  return /[\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(character)
}

/** DCS, SOS, OSC, PM, APC as single characters. */
function isStringOpener(character: string): boolean {
  return /[\x90\x98\x9d-\x9f]/.test(character)
}

function dropLast(line: string): string {
  return Array.from(line).slice(0, -1).join('')
}
