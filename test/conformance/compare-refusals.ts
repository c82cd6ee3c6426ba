import type { BuildCase } from './build-case.ts'
import type { Verdict } from './compare-case.ts'
import { different } from './known-differences.ts'
import { ourReason, sameReason, theirReason } from './reasons.ts'

/** What both builders say of a mistake. */
export interface Refusals {
  readonly kind: 'refused'
  readonly ours: string
  readonly theirs: string
}

/**
 * Builds a case, and looks into it further when both refuse it for other reasons: with several mistakes in one file, which
 * one is told first is up to the builder. So mistakes are taken out one by one until both talk of the same one, or one of
 * them does not see what the other sees, which is a difference like any other. At most `steps` more builds.
 */
export async function compareRefusals(
  buildCase: BuildCase,
  build: (buildCase: BuildCase) => Promise<Verdict | Refusals>,
  steps = 12,
): Promise<Verdict> {
  const verdict = await build(buildCase)
  if (!('ours' in verdict)) return verdict
  const [ours, theirs] = [ourReason(verdict.ours), theirReason(verdict.theirs)]
  const line = ours.line === undefined ? {} : { line: ours.line }
  if (sameReason(ours, theirs)) return { kind: 'refused', reason: ours.kind, ...line, lines: [], known: [] }
  const at = ours.line === undefined ? undefined : instructionAt(buildCase, ours.line)
  if (at === undefined || steps <= 0) return unclear
  const again = (instructions: readonly string[], left: number): Promise<Verdict> =>
    compareRefusals({ ...buildCase, instructions }, build, left)
  if (at < buildCase.instructions.length - 1) {
    const head = await again(buildCase.instructions.slice(0, at + 1), steps - 1)
    // Without what follows there is no mistake: a trigger that failed in a later stage.
    return head.kind === 'same' ? unclear : head
  }
  if (isFrom(buildCase.instructions[at])) return unclear
  const before = await again(buildCase.instructions.slice(0, at), Math.floor(steps / 2))
  switch (before.kind) {
    case 'same':
      return different(
        [`both refuse the last instruction: Slipway: ${verdict.ours}; the engine: ${verdict.theirs}`],
        buildCase,
      )
    case 'refused': {
      const other = before.line === undefined ? undefined : instructionAt(buildCase, before.line)
      if (other === undefined || isFrom(buildCase.instructions[other])) return unclear
      return again(buildCase.instructions.toSpliced(other, 1), Math.floor(steps / 2))
    }
    case 'different':
    case 'unclear':
      return before
  }
}

const unclear: Verdict = { kind: 'unclear', lines: [], known: [] }

function isFrom(text: string | undefined): boolean {
  return text === undefined || /^\s*from/i.test(text)
}

/** Index of the instruction that a line belongs to, counted from 1. */
function instructionAt({ instructions }: BuildCase, line: number): number | undefined {
  let end = 0
  const at = instructions.findIndex(text => (end += text.split('\n').length) >= line)
  return at === -1 ? undefined : at
}
