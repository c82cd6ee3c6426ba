import type { Source } from '#diagnostics'
import { mapText, spanOf } from './mapped-text.ts'
import { lineSpan, type PhysicalLine } from './physical-lines.ts'
import { syntaxError } from './syntax-error.ts'
import type { Directive, EscapeCharacter } from './syntax-tree.ts'

const form = /^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S[^\n]*)$/d

/** The parser directives at the top of a file. */
export interface Directives {
  readonly directives: readonly Directive[]
  readonly escape: EscapeCharacter
  /** How many lines they take. */
  readonly lineCount: number
}

/**
 * Reads parser directives: `# name=value` lines before anything else. An unknown name, a blank line, a comment or an
 * instruction ends them. One `#!` line may stand before `# syntax=`.
 */
export function readDirectives(source: Source, lines: readonly PhysicalLine[]): Directives {
  const directives: Directive[] = []
  const shebang = lines[0]?.text.startsWith('#!') === true
  let count = 0
  for (const line of shebang ? lines.slice(1, 2) : lines) {
    const directive = readDirective(line)
    if (!directive || (shebang && directive.name !== 'syntax')) break
    if (directives.some(({ name }) => name === directive.name)) {
      throw syntaxError(source, directive.span, {
        message: `only one ${directive.name} parser directive can be used`,
        hint: 'remove all but one',
      })
    }
    directives.push(directive)
    count++
  }
  return { directives, escape: escapeOf(source, directives), lineCount: count === 0 ? 0 : shebang ? count + 1 : count }
}

function readDirective(line: PhysicalLine): Directive | undefined {
  const match = form.exec(line.text)
  const name = match?.[1]?.toLowerCase()
  const at = match?.indices?.[2]
  if (!at || (name !== 'syntax' && name !== 'escape' && name !== 'check')) return undefined
  const value = mapText(line.text.slice(...at).trimEnd(), line.start + at[0])
  return { name, value: { ...value, span: spanOf(value) }, span: lineSpan(line) }
}

function escapeOf(source: Source, directives: readonly Directive[]): EscapeCharacter {
  const value = directives.find(({ name }) => name === 'escape')?.value
  if (!value) return '\\'
  if (value.text === '\\' || value.text === '`') return value.text
  throw syntaxError(source, value.span, {
    message: `invalid escape character ${JSON.stringify(value.text)}`,
    hint: 'write # escape=\\ or # escape=`',
  })
}
