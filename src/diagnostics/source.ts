/** A text that a person wrote: a Dockerfile, an ignore file, a configuration. */
export interface Source {
  /** How the user calls it: a path as given, or `<stdin>`. */
  readonly name: string
  readonly text: string
}

/** A half-open range of UTF-16 offsets in a `Source`'s text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A range in a known text. */
export interface Place {
  readonly source: Source
  readonly span: Span
}

/** Line and column, both counted from 1; the column counts Unicode code points. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Turns an offset into line and column. */
export function positionOf(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) line++
  return { line, column: Array.from(before.slice(lineStart)).length + 1 }
}

/** The text of line `line` (from 1) without its line end. */
export function lineOf(source: Source, line: number): string {
  return (source.text.split('\n')[line - 1] ?? '').replace(/\r$/, '')
}
