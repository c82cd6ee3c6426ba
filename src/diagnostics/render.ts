import { stripVTControlCharacters, styleText } from 'node:util'
import { lineOf, type Place, positionOf } from './source.ts'
import type { UserError } from './user-error.ts'
import type { Warning } from './warning.ts'

export interface RenderOptions {
  /** Colour the output; the caller knows whether it is a terminal. */
  readonly color: boolean
}

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

/** An error as a person reads it: message, place with excerpt and caret, details, hint. Ends with a newline. */
export function renderError(error: UserError, options: RenderOptions): string {
  const paint = painter(options)
  return render(`${paint(['bold', 'red'], 'error:')} ${printable(error.message)}`, error, paint)
}

/** A warning in the same form. Ends with a newline. */
export function renderWarning(warning: Warning, options: RenderOptions): string {
  const paint = painter(options)
  return render(
    `${paint(['bold', 'yellow'], 'warning:')} ${printable(warning.message)} (${warning.code})`,
    warning,
    paint,
  )
}

/** How bad a finding is, and what stands behind its message in parentheses. */
export interface FindingHead {
  readonly severity: 'error' | 'warning' | 'info' | 'style'
  readonly names: readonly string[]
}

const findingStyles = { error: 'red', warning: 'yellow', info: 'cyan', style: 'magenta' } as const

/** A finding of a linter in the same form. Ends with a newline. */
export function renderFinding(finding: Warning, { severity, names }: FindingHead, options: RenderOptions): string {
  const paint = painter(options)
  const head = `${paint(['bold', findingStyles[severity]], `${severity}:`)} ${printable(finding.message)} (${names.join(', ')})`
  return render(head, finding, paint)
}

interface Body {
  readonly at?: Place | undefined
  readonly details?: readonly string[]
  readonly hint?: string
  readonly url?: string
}

function render(head: string, body: Body, paint: Paint): string {
  const lines = [head]
  if (body.at) lines.push(...excerpt(body.at, paint))
  for (const line of body.details ?? []) lines.push(`  ${paint('dim', '|')} ${line}`)
  if (body.hint) lines.push(`  ${paint('cyan', 'hint:')} ${printable(body.hint)}`)
  if (body.url !== undefined) lines.push(`  ${paint('cyan', 'see:')} ${printable(body.url)}`)
  return `${lines.join('\n')}\n`
}

function painter({ color }: RenderOptions): Paint {
  return color ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text
}

/** The lines around a place with a caret under its first line's part. */
function excerpt({ source, span }: Place, paint: Paint): string[] {
  const start = positionOf(source, span.start)
  const end = positionOf(source, Math.max(span.start, span.end - 1))
  const width = String(start.line + 1).length
  const text = printable(lineOf(source, start.line))
  const caretEnd = end.line === start.line ? end.column : Array.from(text).length
  const show = (line: number): string =>
    `${paint('dim', `${String(line).padStart(width)} |`)} ${printable(lineOf(source, line))}`
  const out = [`${paint('dim', ' '.repeat(width) + '-->')} ${source.name}:${start.line}:${start.column}`]
  if (start.line > 1) out.push(show(start.line - 1))
  out.push(show(start.line))
  const lead = Array.from(text)
    .slice(0, start.column - 1)
    .map(c => (c === '\t' ? '\t' : ' '))
    .join('')
  const carets = '^'.repeat(Math.max(1, caretEnd - start.column + 1))
  out.push(`${paint('dim', `${' '.repeat(width)} |`)} ${lead}${paint(['bold', 'red'], carets)}`)
  return out
}

/** Text from outside must not steer the terminal. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\t\n])\p{Cc}/gu, '\u{fffd}')
}
