import type { Source, Span } from '#diagnostics'

/** One line of a text file. */
export interface PhysicalLine {
  /** Without the line end; all carriage returns before it are gone too. */
  readonly text: string
  /** Offset of its first character. */
  readonly start: number
  /** Offset behind the line end: where the next line starts. */
  readonly next: number
}

/** The lines of a text; a byte order mark at the very start is skipped. */
export function physicalLines({ text }: Source): readonly PhysicalLine[] {
  const lines: PhysicalLine[] = []
  let start = text.startsWith('\u{feff}') ? 1 : 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const next = newline === -1 ? text.length : newline + 1
    let end = newline === -1 ? text.length : newline
    while (end > start && text[end - 1] === '\r') end--
    lines.push({ text: text.slice(start, end), start, next })
    start = next
  }
  return lines
}

/** The span of a line's text. */
export function lineSpan(line: PhysicalLine): Span {
  return { start: line.start, end: line.start + line.text.length }
}
