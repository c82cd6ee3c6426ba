import type { Study } from '#analyze'
import { UserError } from '#diagnostics'
import { type FixChain, type FixInput, type Proposal, proposeFixes } from '#fix'
import { buildState, type Comparison, comparisonWith, type Proof, type Proving } from './prove-fix.ts'

/** A change that was not made, and why. */
export interface Dropped {
  readonly proposal: Proposal
  readonly reason: string
}

export interface ProvenChain {
  readonly chain: FixChain
  readonly proof: Proof
  readonly dropped: readonly Dropped[]
}

/**
 * Builds what comes out, and compares it with `before`, the image of the file as it is. Where they differ in more than is meant, or the
 * second one cannot be built, changes are tried one by one, and those that are to blame are left out. What keeps the tree has to do so
 * before a change comes that makes another one.
 */
export async function proveChain(before: Study, input: FixInput, proving: Proving): Promise<ProvenChain> {
  const compare = await comparisonWith(before, proving)
  const equal = await provenWith({ ...input, otherTrees: false }, compare, proving)
  if (!input.otherTrees) return equal
  const without = new Set([...input.without, ...equal.dropped.map(({ proposal }) => proposal.key)])
  const other = await provenWith({ ...input, without }, compare, proving)
  return { ...other, dropped: [...equal.dropped, ...other.dropped] }
}

async function provenWith(input: FixInput, compare: Comparison, proving: Proving): Promise<ProvenChain> {
  const whole = await proposeFixes(input)
  const proof = await tried(whole, compare, proving)
  if (!(proof instanceof UserError) && isGood(proof, whole)) return { chain: whole, proof, dropped: [] }
  const dropped: Dropped[] = []
  const without = new Set(input.without)
  // One more each round, in order: what is good stays, and what is not is never proposed again.
  for (let good = 0; ; ) {
    const chain = await proposeFixes({ ...input, without })
    const next = chain.proposals[good]
    const part = partOf(chain, input, good + 1)
    // What another change takes out anyway tells nothing: caches are other ones after each run.
    const result = await tried(next ? { ...part, proposals: chain.proposals } : chain, compare, proving)
    if (!next) {
      if (result instanceof UserError) throw result
      return { chain, proof: result, dropped }
    }
    if (!(result instanceof UserError) && isGood(result, part)) good++
    else {
      dropped.push({ proposal: next, reason: reasonAgainst(result) })
      without.add(next.key)
    }
  }
}

/** What the command says comes first: a tree may be another one on purpose. */
function reasonAgainst(result: Proof | UserError): string {
  if (result instanceof UserError) return `it cannot be built: ${result.message}`
  const { unexpected, run } = result
  if (run?.failure !== undefined) return `${run.command} cannot be run then: ${run.failure}`
  if (run && !run.equal) {
    const [before, after] = run.exitCodes
    const codes = before === after ? '' : ` (exit code ${after}, before ${before})`
    return `${run.command} does something else${codes}`
  }
  return unexpected[0] ?? 'it changes more than it says'
}

function partOf(chain: FixChain, input: FixInput, count: number): FixChain {
  const proposals = chain.proposals.slice(0, count)
  const ignore = proposals.reduce((text, each) => each.ignore ?? text, input.ignore)
  return { proposals, dockerfile: proposals.at(-1)?.dockerfile ?? input.dockerfile, ignore }
}

/** A tree that is another one on purpose is good when what runs in it does the same. */
function isGood({ unexpected, run }: Proof, { proposals }: FixChain): boolean {
  if (run && !run.equal) return false
  return unexpected.length === 0 || proposals.some(({ keepsTree }) => !keepsTree)
}

/** The proof, or why what comes out cannot be built. */
async function tried(chain: FixChain, compare: Comparison, proving: Proving): Promise<Proof | UserError> {
  let after: string
  try {
    after = await buildState(chain, proving)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  return compare(after, chain.proposals)
}
