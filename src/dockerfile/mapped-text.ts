import type { Place, Source, Span } from '#diagnostics'

/**
 * A text cut out of a source, which may have lost characters on the way (continuations, quotes): every UTF-16 unit of
 * `text` knows its offset in the source.
 */
export interface MappedText {
  readonly text: string
  /** Stretches of `text` that are contiguous in the source, in order; the first starts at 0. */
  readonly runs: readonly Run[]
}

export interface Run {
  /** Index in `text` at which the stretch starts. */
  readonly at: number
  /** Offset of that character in the source. */
  readonly offset: number
}

/** A text that stands in the source as it is, from `offset` on. */
export function mapText(text: string, offset: number): MappedText {
  return { text, runs: [{ at: 0, offset }] }
}

/** Collects pieces of a source into one text. */
export interface TextBuilder {
  add(text: string, offset: number): void
  /** `fallback` is the offset of the result when nothing was added. */
  finish(fallback: number): MappedText
}

export function buildText(): TextBuilder {
  const parts: string[] = []
  const runs: Run[] = []
  let length = 0
  let next = -1
  return {
    add(text, offset) {
      if (text === '') return
      if (offset !== next) runs.push({ at: length, offset })
      parts.push(text)
      length += text.length
      next = offset + text.length
    },
    finish: fallback => ({ text: parts.join(''), runs: runs.length > 0 ? runs : [{ at: 0, offset: fallback }] }),
  }
}

/** Adds a mapped text, run by run. */
export function addMapped(builder: TextBuilder, { text, runs }: MappedText): void {
  for (const [i, run] of runs.entries()) {
    builder.add(text.slice(run.at, runs[i + 1]?.at ?? text.length), run.offset)
  }
}

/** The part from index `start` to index `end` of a mapped text. */
export function sliceText(mapped: MappedText, start: number, end = mapped.text.length): MappedText {
  const text = mapped.text.slice(start, end)
  const first = runIndexAt(mapped, Math.min(start, Math.max(0, mapped.text.length - 1)))
  const runs: Run[] = [{ at: 0, offset: offsetOf(mapped, start) }]
  for (let i = first + 1; i < mapped.runs.length; i++) {
    const run = mapped.runs[i]
    if (!run || run.at >= end) break
    if (run.at > start) runs.push({ at: run.at - start, offset: run.offset })
  }
  return { text, runs }
}

/** Without white space at both ends. */
export function trimText(mapped: MappedText): MappedText {
  const start = mapped.text.length - mapped.text.replace(leadingSpace, '').length
  const end = mapped.text.replace(trailingSpace, '').length
  return start === 0 && end === mapped.text.length ? mapped : sliceText(mapped, start, Math.max(start, end))
}

const spaceClass = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const leadingSpace = new RegExp(`^${spaceClass}+`)
const trailingSpace = new RegExp(`(?<!${spaceClass})${spaceClass}+$`)
const space = new RegExp(spaceClass)

/** White space as Go's `unicode.IsSpace` has it. */
export function isSpace(character: string): boolean {
  return space.test(character)
}

/** The source offset of the character at `index`; of the end for `index` = length. */
export function offsetOf(mapped: MappedText, index: number): number {
  if (index > 0 && index >= mapped.text.length) return offsetOf(mapped, mapped.text.length - 1) + 1
  const run = mapped.runs[runIndexAt(mapped, index)]
  return run ? run.offset + index - run.at : 0
}

function runIndexAt({ runs }: MappedText, index: number): number {
  let low = 0
  let high = runs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((runs[middle]?.at ?? 0) <= index) low = middle
    else high = middle - 1
  }
  return low
}

/** Where indexes `start` to `end` of a mapped text stand in the source. */
export function spanOf(mapped: MappedText, start = 0, end = mapped.text.length): Span {
  const from = offsetOf(mapped, start)
  return { start: from, end: end > start ? offsetOf(mapped, end - 1) + 1 : from }
}

/** The same as a place. */
export function placeOf(source: Source, mapped: MappedText): Place {
  return { source, span: spanOf(mapped) }
}
