import type { LintFinding } from './lint-with-rules.ts'

/** A text with changes made, and what of the findings that mended. */
export interface FixedText {
  readonly text: string
  readonly mended: readonly LintFinding[]
}

/** Makes all changes that do not touch one another, in the order of the file. */
export function applyFixes(text: string, findings: readonly LintFinding[]): FixedText {
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = []
  const mended: LintFinding[] = []
  for (const finding of findings) {
    const own = (finding.fix ?? []).map(edit => ({ ...edit.span, text: edit.text }))
    const same = (a: (typeof own)[number], b: (typeof own)[number]): boolean =>
      a.start === b.start && a.end === b.end && a.text === b.text
    const clash = own.some(edit =>
      edits.some(other => !same(edit, other) && edit.start < other.end && other.start < edit.end),
    )
    if (own.length === 0 || clash) continue
    edits.push(...own.filter(edit => !edits.some(other => same(edit, other))))
    mended.push(finding)
  }
  // From the end, so that offsets before stay right; of insertions at one place the first one comes first.
  const ordered = [...edits.entries()].toSorted(([i, a], [j, b]) => b.start - a.start || j - i)
  let out = text
  for (const [, { start, end, text: piece }] of ordered) out = out.slice(0, start) + piece + out.slice(end)
  return { text: out, mended }
}
