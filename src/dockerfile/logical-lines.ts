import type { Source, Span } from '#diagnostics'
import { type FoundHeredoc, findHeredocs } from './find-heredocs.ts'
import { buildText, isSpace, type MappedText, mapText, spanOf } from './mapped-text.ts'
import { lineSpan, type PhysicalLine } from './physical-lines.ts'
import { syntaxError } from './syntax-error.ts'
import type { Comment, EscapeCharacter, Heredoc } from './syntax-tree.ts'

/** One instruction's text: continuations joined, comment lines dropped, heredoc bodies read. */
export interface LogicalLine {
  readonly text: MappedText
  /** From the keyword to the end of the last line, heredocs included. */
  readonly span: Span
  readonly heredocs: readonly (Heredoc & { readonly found: FoundHeredoc })[]
  readonly comments: readonly Comment[]
  readonly blankContinuations: readonly Span[]
}

/** What the file holds below its directives. */
export interface LogicalLines {
  readonly lines: readonly LogicalLine[]
  readonly comments: readonly Comment[]
}

interface Cursor {
  readonly source: Source
  readonly lines: readonly PhysicalLine[]
  readonly escape: EscapeCharacter
  next: number
}

/** Joins the physical lines from index `first` on into instructions. */
export function readLogicalLines(
  source: Source,
  lines: readonly PhysicalLine[],
  { first, escape }: { readonly first: number; readonly escape: EscapeCharacter },
): LogicalLines {
  const cursor: Cursor = { source, lines, escape, next: first }
  const all: Comment[] = []
  let above: Comment[] = []
  const logical: LogicalLine[] = []
  for (let line = lines[cursor.next]; line; line = lines[cursor.next]) {
    const comment = commentOf(line)
    if (comment) {
      cursor.next++
      all.push(comment)
      if (comment.text === '') above = []
      else above.push(comment)
    } else if (isBlank(line.text)) {
      cursor.next++
    } else {
      logical.push(readOne(cursor, above, all))
      above = []
    }
  }
  return { lines: logical, comments: all }
}

function readOne(cursor: Cursor, comments: readonly Comment[], all: Comment[]): LogicalLine {
  const start = cursor.next
  const blankContinuations: Span[] = []
  const text = joinContinuations(cursor, blankContinuations, all)
  const heredocs = findHeredocs(text, cursor.escape).map(found => readHeredoc(cursor, text, found))
  const last = cursor.lines[cursor.next - 1]
  const begin = cursor.lines[start]
  return {
    text,
    span: { start: begin ? begin.start + indent(begin.text) : 0, end: last ? lineSpan(last).end : 0 },
    heredocs,
    comments,
    blankContinuations,
  }
}

function joinContinuations(cursor: Cursor, blanks: Span[], all: Comment[]): MappedText {
  const builder = buildText()
  const begin = cursor.next
  let open = true
  for (let line = cursor.lines[cursor.next]; open && line; line = cursor.lines[cursor.next]) {
    cursor.next++
    const first = cursor.next === begin + 1
    const comment = first ? undefined : commentOf(line)
    if (comment) all.push(comment)
    else if (isBlank(line.text)) blanks.push(lineSpan(line))
    else {
      const from = first ? indent(line.text) : 0
      const content = line.text.slice(from)
      const cut = continuationAt(content, cursor.escape)
      open = cut !== -1
      builder.add(open ? content.slice(0, cut) : content, line.start + from)
    }
  }
  return builder.finish(cursor.lines[begin]?.start ?? 0)
}

/** Index of the escape character that continues a line, or -1. */
function continuationAt(text: string, escape: EscapeCharacter): number {
  let last = text.length - 1
  while (last >= 0 && (text[last] === ' ' || text[last] === '\t')) last--
  return text[last] === escape && text[last - 1] !== escape ? last : -1
}

function readHeredoc(
  cursor: Cursor,
  text: MappedText,
  found: FoundHeredoc,
): Heredoc & { readonly found: FoundHeredoc } {
  const first = cursor.next
  for (let line = cursor.lines[cursor.next]; line; line = cursor.lines[cursor.next]) {
    cursor.next++
    const candidate = found.chomp ? line.text.replace(/^\t+/, '') : line.text
    if (candidate !== found.name) continue
    const start = cursor.lines[first]?.start ?? line.start
    const body = mapText(cursor.source.text.slice(start, line.start), start)
    return {
      name: found.name,
      span: spanOf(text, found.start, found.end),
      expand: found.expand,
      chomp: found.chomp,
      body,
      found,
    }
  }
  throw syntaxError(cursor.source, spanOf(text, found.start, found.end), {
    message: `unterminated heredoc: no line is ${JSON.stringify(found.name)}`,
    hint: `end the text with a line that holds only ${found.name}`,
  })
}

function commentOf(line: PhysicalLine): Comment | undefined {
  const at = indent(line.text)
  if (line.text[at] !== '#') return undefined
  const span = { start: line.start + at, end: line.start + line.text.length }
  return { text: line.text.slice(at + 1).trim(), span }
}

function indent(text: string): number {
  let at = 0
  while (at < text.length && isSpace(text[at] ?? '')) at++
  return at
}

function isBlank(text: string): boolean {
  return indent(text) === text.length
}
