import type { FixChain, Proposal } from '#fix'
import { formatSize } from '../size.ts'
import type { Dropped } from './prove-chain.ts'
import type { Proof } from './prove-fix.ts'

/** What came out, for reports. */
export interface FixOutcome {
  readonly name: string
  readonly chain: FixChain
  readonly proof?: Proof
  readonly dropped: readonly Dropped[]
  readonly diff: string
}

/** For people: the reasons, the diff, the proof. */
export function fixText({ name, chain, proof, dropped, diff }: FixOutcome): string {
  const { proposals } = chain
  const lines = proposals.map(each => `${name}:${each.line}: ${each.title}${markOf(each, proof)}\n`)
  const left = dropped.map(
    ({ proposal, reason }) => `${name}:${proposal.line}: left out (${proposal.kind}): ${reason}\n`,
  )
  if (proposals.length === 0) return [...left, `${name}: nothing to change\n`].join('')
  return [
    ...lines,
    ...left,
    diff === '' ? '' : `\n${diff}`,
    proof ? `\n${proofText(proof, proposals)}` : '\nnot proven: --prove builds both and compares them\n',
  ].join('')
}

function markOf({ keepsTree, differs }: Proposal, proof: Proof | undefined): string {
  if (!keepsTree) return ' (cannot be proven equal: the tree is another one on purpose)'
  const meant =
    differs.length > 0
      ? ` (meant to differ: ${differs.map(path => (path.startsWith('/') ? path.slice(1, -1) : `/${path}`)).join(', ')})`
      : ''
  return proof === undefined ? `${meant} (not proven)` : meant
}

function proofText({ before, after, unexpected, meant, run }: Proof, proposals: readonly Proposal[]): string {
  const saved = before.size - after.size
  const percent = before.size === 0 ? 0 : Math.round((100 * saved) / before.size)
  const equal =
    unexpected.length === 0
      ? `proven: the trees are equal, modification times apart${meant > 0 ? `; ${meant} paths differ as they are meant to` : ''}`
      : `not equal: ${unexpected.length} paths differ${proposals.some(({ keepsTree }) => !keepsTree) ? ', on purpose' : ''} (${unexpected.slice(0, 3).join('; ')}${unexpected.length > 3 ? '; …' : ''})`
  const ran = run
    ? `\n${run.equal ? 'the same' : 'NOT the same'} in both: ${run.command} (exit codes ${run.exitCodes.join(' and ')})`
    : ''
  return `${equal}${ran}\n${formatSize(before.size)} → ${formatSize(after.size)}: ${saved} bytes saved (${percent} %)\n`
}

/** `docs/fix.md` describes the form. */
export function fixJson({ name, chain, proof, dropped, diff }: FixOutcome): string {
  const change = ({ kind, title, line, differs, keepsTree }: Proposal): object => ({
    kind,
    title,
    line,
    differs,
    keepsTree,
  })
  return `${JSON.stringify(
    {
      version: 1,
      file: name,
      changes: chain.proposals.map(change),
      dropped: dropped.map(({ proposal, reason }) => ({ ...change(proposal), reason })),
      diff,
      ...(proof && {
        proof: { ...proof, equal: proof.unexpected.length === 0, saved: proof.before.size - proof.after.size },
      }),
    },
    undefined,
    2,
  )}\n`
}
