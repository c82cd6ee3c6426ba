import { parseDockerfile } from '#dockerfile'
import { loadRules } from '#lint'
import { bindMounts, earlierInstalls, ignoreLines, ownedCopies } from './copy-proposals.ts'
import type { FixSubject, Measured, Proposal } from './proposal.ts'
import { cacheMounts, cleanerRuns, joinedRuns } from './run-proposals.ts'
import { otherBases, splitStages } from './stage-proposals.ts'

/** What is to be mended. */
export interface FixInput {
  /** How messages call the Dockerfile. */
  readonly name: string
  readonly dockerfile: string
  readonly ignore: string
  readonly hasFile: (path: string) => boolean
  /** Also changes that make another tree on purpose (multi-stage). */
  readonly otherTrees: boolean
  /** Of an image that was built from the file, where there is one. */
  readonly measured?: Measured
  /** Keys of proposals that shall not be made. */
  readonly without: ReadonlySet<string>
}

/** Changes, each on top of those before it, and what they amount to. */
export interface FixChain {
  readonly proposals: readonly Proposal[]
  readonly dockerfile: string
  readonly ignore: string
}

/** More changes than this mean that one of them brings itself about again. */
const most = 60

/** All changes that are worth making, one after the other. Throws a `UserError` when the file cannot be parsed. */
export async function proposeFixes(input: FixInput): Promise<FixChain> {
  const proposals: Proposal[] = []
  let { dockerfile, ignore } = input
  const made = new Set(input.without)
  while (proposals.length < most) {
    // A split has chosen its base already.
    const isSplit = proposals.some(({ kind }) => kind === 'multi-stage')
    const possible = await candidates({ ...input, dockerfile, ignore })
    const next = possible.find(({ key, kind }) => !made.has(key) && !(isSplit && kind === 'other-base'))
    if (!next) break
    proposals.push(next)
    made.add(next.key)
    dockerfile = next.dockerfile
    ignore = next.ignore ?? ignore
  }
  return { proposals, dockerfile, ignore }
}

async function candidates(input: FixInput): Promise<readonly Proposal[]> {
  const { name, dockerfile, ignore, hasFile, otherTrees, measured } = input
  const { lintWithRules, defaultLintSettings, stageViews } = await loadRules()
  const tree = parseDockerfile({ name, text: dockerfile })
  const subject: FixSubject = {
    tree,
    stages: stageViews(tree),
    findings: lintWithRules(tree, { ...defaultLintSettings, withoutPragmas: true }),
    ignore,
    hasFile,
    ...(measured && { measured }),
  }
  const kinds = [bindMounts, ownedCopies, joinedRuns, cacheMounts, cleanerRuns, earlierInstalls, ignoreLines]
  return [
    ...kinds.flatMap(kind => kind(subject)),
    ...(otherTrees ? [...splitStages(subject), ...otherBases(subject)] : []),
  ]
}
