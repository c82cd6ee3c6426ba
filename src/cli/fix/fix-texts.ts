import type { Cause } from '#analyze'
import type { BaseAdvice, FixChain, FixFigures, Proposal } from '#fix'
import type { Paint } from '../color.ts'
import { formatSize } from '../size.ts'
import { oneLine, wrapText } from '../text-width.ts'
import type { Dropped } from './prove-chain.ts'
import type { Proof } from './prove-fix.ts'

/** What came out, for reports. */
export interface FixOutcome {
  readonly name: string
  readonly chain: FixChain
  readonly proof?: Proof
  readonly dropped: readonly Dropped[]
  readonly diff: string
  /** Of the image that the figures are of, where there is one. */
  readonly image?: string
  readonly figures?: FixFigures
  /** Smaller bases that have what is needed, where no other one was taken. */
  readonly bases?: readonly BaseAdvice[]
}

/** How to show it. */
export interface FixView {
  /** Columns of the window; very many where there is none. */
  readonly width: number
  readonly paint: Paint
}

/** For people: the reasons, the diff, the proof, and what is left to decide. */
export function fixText(outcome: FixOutcome, view: FixView): string {
  const { name, chain, proof, dropped, diff, figures } = outcome
  const { proposals } = chain
  const lines = proposals.map((each, i) =>
    placed(`${name}:${each.line}:`, `${savingText(figures?.savings[i])}${each.title}${markOf(each, proof)}`, view),
  )
  const left = dropped.map(({ proposal, reason }) =>
    placed(`${name}:${proposal.line}:`, `left out (${proposal.kind}): ${reason}`, view),
  )
  if (proposals.length === 0) {
    return [...left, `${name}: nothing to change\n`, restText(outcome, view)].join('')
  }
  return [
    ...lines,
    ...left,
    diff === '' ? '' : `\n${paintedDiff(diff, view)}`,
    proof
      ? `\n${proofText(proof, proposals)}`
      : `\n${placed('not proven:', `--prove builds both and compares them${measuredText(outcome)}`, view)}`,
    restText(outcome, view),
  ].join('')
}

/** A place and a sentence, which goes on indented where the window ends. */
function placed(place: string, text: string, { width, paint }: FixView): string {
  const [first = '', ...more] = wrapText(`${place} ${oneLine(text)}`, Math.max(20, width - 2))
  const painted = first.startsWith(place) ? paint('bold', place) + first.slice(place.length) : first
  return [painted, ...more.map(each => `  ${each}`)].map(each => `${each}\n`).join('')
}

function paintedDiff(diff: string, { paint }: FixView): string {
  const styled = (line: string): string => {
    if (/^(?:---|\+\+\+) /.test(line)) return paint('bold', line)
    return line.startsWith('-') ? paint('red', line) : line.startsWith('+') ? paint('green', line) : line
  }
  return diff.split('\n').map(styled).join('\n')
}

function savingText(bytes: number | undefined): string {
  return bytes === undefined || bytes === 0 ? '' : `${formatSize(bytes)} less: `
}

function measuredText({ image, figures }: FixOutcome): string {
  if (image === undefined || figures?.savings.every(each => each === undefined) !== false) return ''
  return `; figures are those of ${oneLine(image).replace(/^(sha256:[0-9a-f]{12}).*/, '$1')}`
}

/** As many as a person reads. */
const mostRest = 8

/** What the image has besides, and no change of ours takes away: it may be meant. */
function restText({ name, figures, bases = [] }: FixOutcome, view: FixView): string {
  const rest = figures?.rest ?? []
  if (rest.length + bases.length === 0) return ''
  const causes = rest.slice(0, mostRest).map(cause => {
    const line = cause.instruction.lines?.first
    const lines = cause.rewrite.lines.map(each => `    ${oneLine(each)}\n`).join('')
    return placed(`${name}${line === undefined ? '' : `:${line}`}:`, causeText(cause), view) + lines
  })
  const more = rest.length > mostRest ? `and ${rest.length - mostRest} more: see "slipway analyze"\n` : ''
  const advice = bases.map(({ name: base, programs, bytes, saving, different }) => {
    const others = different.length === 0 ? '' : `, ${different.length} files in another version`
    const whose = programs.map(each => `/${each}`).join(' and ')
    const text = `${formatSize(saving)} less (${formatSize(bytes)}), and it has all that ${whose} needs${others}; try it with --multi-stage --prove --base ${base}`
    return placed(`${base} as base:`, text, view)
  })
  return `\nfor you to decide:\n${causes.join('')}${more}${advice.join('')}`
}

function causeText({ saving, title, rewrite }: Cause): string {
  return oneLine(`${saving > 0 ? `${formatSize(saving)}: ` : ''}${title}; ${rewrite.text}`)
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
export function fixJson(outcome: FixOutcome): string {
  const { name, chain, proof, dropped, diff, image, figures, bases } = outcome
  const change = ({ kind, title, line, differs, keepsTree }: Proposal): object => ({
    kind,
    title,
    line,
    differs,
    keepsTree,
  })
  const saving = (i: number): object => {
    const bytes = figures?.savings[i]
    return bytes === undefined ? {} : { saving: bytes }
  }
  return `${JSON.stringify(
    {
      version: 1,
      file: name,
      ...(image !== undefined && { image }),
      changes: chain.proposals.map((each, i) => ({ ...change(each), ...saving(i) })),
      dropped: dropped.map(({ proposal, reason }) => ({ ...change(proposal), reason })),
      diff,
      ...(figures && { rest: figures.rest }),
      ...(bases && { bases }),
      ...(proof && {
        proof: { ...proof, equal: proof.unexpected.length === 0, saved: proof.before.size - proof.after.size },
      }),
    },
    undefined,
    2,
  )}\n`
}
