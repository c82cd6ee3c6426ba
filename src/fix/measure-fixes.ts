import type { Cause, FileCopy, Study } from '#analyze'
import { parseDockerfile } from '#dockerfile'
import type { Proposal } from './proposal.ts'
import { isMeant } from './unexpected-differences.ts'

/** What changes save, told by an image that was built from the file as it is. Plain data. */
export interface FixFigures {
  /** Bytes by proposal, in order; undefined where the image does not tell. */
  readonly savings: readonly (number | undefined)[]
  /** What is still wasted or needless, largest first: with what to write by hand. */
  readonly rest: readonly Cause[]
}

/** Follows each change back to the lines of the original file, and counts the bytes of those layers once. */
export function measureFixes(study: Study, proposals: readonly Proposal[], dockerfile: string): FixFigures {
  const spoken = new Set<FileCopy>()
  let state: readonly Traced[] = instructionsOf(dockerfile).map((text, i): Traced => ({ text, origins: new Set([i]) }))
  const lines = linesOf(dockerfile)
  let counted = 0
  const savings = proposals.map(proposal => {
    const after = follow(state, instructionsOf(proposal.dockerfile))
    const origins = after.changed.flatMap(each => [...each.origins].flatMap(origin => lines[origin] ?? []))
    state = after.state
    const copies = savedBy(study, proposal, origins).filter(copy => !spoken.has(copy))
    for (const copy of copies) spoken.add(copy)
    // It leaves behind what the changes before it take away, too.
    if (proposal.estimate !== undefined) return Math.max(0, study.analysis.totals.size - proposal.estimate - counted)
    if (proposal.kind !== 'dockerignore' && proposal.kind !== 'reorder' && !knowsLines(study)) return undefined
    const saving = copies.reduce((sum, { entry }) => sum + entry.size, 0)
    counted += saving
    return saving
  })
  return { savings, rest: restOf(study, spoken, proposals) }
}

interface Traced {
  readonly text: string
  /** Positions of instructions of the original file that became this one. */
  readonly origins: ReadonlySet<number>
}

interface Range {
  readonly first: number
  readonly last: number
}

function spansOf(text: string): readonly { readonly start: number; readonly end: number }[] {
  const { stages } = parseDockerfile({ name: 'Dockerfile', text })
  return stages.flatMap(({ from, instructions }) => [from.span, ...instructions.map(({ span }) => span)])
}

function instructionsOf(text: string): readonly string[] {
  return spansOf(text).map(({ start, end }) => text.slice(start, end))
}

function linesOf(text: string): readonly Range[] {
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length
  return spansOf(text).map(({ start, end }) => ({ first: lineAt(start), last: lineAt(end) }))
}

/** What stays the same keeps its origins; between two of these, what is new comes from all that is gone. */
function follow(
  before: readonly Traced[],
  after: readonly string[],
): { readonly state: readonly Traced[]; readonly changed: readonly Traced[] } {
  const kept = commonPairs(before, after)
  const state: Traced[] = []
  const changed: Traced[] = []
  let [i, j] = [0, 0]
  for (const [left, right] of [...kept, [before.length, after.length] as const]) {
    const gone = before.slice(i, left)
    changed.push(...gone)
    const origins = new Set(gone.flatMap(each => [...each.origins]))
    for (const text of after.slice(j, right)) state.push({ text, origins })
    const same = before[left]
    if (same) state.push(same)
    ;[i, j] = [left + 1, right + 1]
  }
  return { state, changed }
}

/** Positions of a longest common subsequence. */
function commonPairs(before: readonly Traced[], after: readonly string[]): readonly (readonly [number, number])[] {
  const width = after.length + 1
  const lengths = new Uint16Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i]?.text === after[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0)
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    if (before[i]?.text === after[j]) pairs.push([i++, j++])
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i++
    else j++
  }
  return pairs
}

function knowsLines({ analysis }: Study): boolean {
  return analysis.layers.some(({ inBase, instruction }) => !inBase && instruction.lines !== undefined)
}

/** The copies of files that a change takes out of the image. */
function savedBy({ trace, analysis }: Study, { kind, differs }: Proposal, touched: readonly Range[]): FileCopy[] {
  const isTouched = (layer: number): boolean => {
    const report = analysis.layers[layer]
    const lines = report?.inBase === false ? report.instruction.lines : undefined
    return lines !== undefined && touched.some(({ first, last }) => lines.first <= last && first <= lines.last)
  }
  const isOwn = (layer: number): boolean => analysis.layers[layer]?.inBase === false
  return trace.copies.filter(({ layer, origin, entry, end }) => {
    switch (kind) {
      case 'bind-mount':
      case 'join-runs':
        return end !== undefined && isTouched(layer) && isTouched(end.layer)
      case 'set-owner':
        return end?.how === 'reowned' && isTouched(end.layer)
      case 'clean-in-run':
      case 'cache-mount':
        return isTouched(origin) && isMeant(entry.path, differs)
      case 'dockerignore':
        return isOwn(layer) && isMeant(entry.path, differs)
      case 'reorder':
      case 'multi-stage':
      case 'other-base':
        return false
    }
  })
}

/** Less is not worth a word (bytes). */
const smallest = 1000

/** Causes of the image's own layers that no change takes away, with the bytes that are left of them. */
function restOf(study: Study, spoken: ReadonlySet<FileCopy>, proposals: readonly Proposal[]): readonly Cause[] {
  const { trace, survey, analysis } = study
  const splits = proposals.some(({ keepsTree }) => !keepsTree)
  const isReordered = proposals.some(({ kind }) => kind === 'reorder')
  const causes = analysis.causes.flatMap((cause): readonly Cause[] => {
    if (cause.inBase) return []
    if (cause.kind === 'copy-before-install') return isReordered ? [] : [cause]
    const copies = cause.by
      ? trace.copies.filter(({ layer, end }) => layer === cause.layer && end?.layer === cause.by?.layer)
      : (survey.byKind.get(cause.kind as never) ?? []).filter(({ origin }) => origin === cause.layer)
    const gone = copies.reduce((sum, copy) => (spoken.has(copy) ? sum + copy.entry.size : sum), 0)
    const saving = Math.max(0, cause.saving - gone)
    return saving < smallest || splits ? [] : [{ ...cause, saving }]
  })
  return causes.toSorted((a, b) => b.saving - a.saving)
}
