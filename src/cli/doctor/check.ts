import type { Paint } from '../color.ts'
import { fitText, oneLine, textWidth } from '../text-width.ts'

/** What was found out about one thing on this machine. */
export interface Check {
  /** What it is about, in a few words: `RUN in namespaces`. */
  readonly name: string
  /** `limited`: works, but not fully, or something optional is missing. */
  readonly status: 'ok' | 'limited' | 'missing'
  /** What was found. */
  readonly detail: string
  /** What to do; present unless `ok`. */
  readonly hint?: string
}

const marks = { ok: 'ok', limited: 'limited', missing: 'missing' } as const
const styles = { ok: 'green', limited: 'yellow', missing: 'red' } as const

/** Checks for a person: status, name and detail in columns, the hint below. `width` is the window's, on a terminal. */
export function renderChecks(checks: readonly Check[], paint: Paint, width = Number.POSITIVE_INFINITY): string {
  const nameWidth = Math.max(...checks.map(check => textWidth(check.name)))
  const indent = ' '.repeat(9)
  return checks
    .map(({ name, status, detail, hint }) => {
      const head = paint(styles[status], marks[status].padEnd(9))
      const room = width - 9 - nameWidth - 2
      const text = room < 20 ? oneLine(detail) : fitText(oneLine(detail), room)
      const line = `${head}${name}${' '.repeat(nameWidth - textWidth(name))}  ${text}\n`
      return hint === undefined ? line : `${line}${indent}${paint('cyan', 'hint:')} ${oneLine(hint)}\n`
    })
    .join('')
}
