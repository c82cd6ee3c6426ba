import { parseDockerfile } from '#dockerfile'
import { loadRules } from '#lint'
import { bindMounts, earlierInstalls, ignoreLines, ownedCopies } from './copy-proposals.ts'
import type { FixSubject, Proposal } from './proposal.ts'
import { cacheMounts, cleanerRuns, joinedRuns } from './run-proposals.ts'
import { splitStages } from './stage-proposals.ts'

/** What is to be mended. */
export interface FixInput {
  /** How messages call the Dockerfile. */
  readonly name: string
  readonly dockerfile: string
  readonly ignore: string
  readonly hasFile: (path: string) => boolean
  /** Also changes that make another tree on purpose (multi-stage). */
  readonly otherTrees: boolean
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
    const next = (await candidates({ ...input, dockerfile, ignore })).find(({ key }) => !made.has(key))
    if (!next) break
    proposals.push(next)
    made.add(next.key)
    dockerfile = next.dockerfile
    ignore = next.ignore ?? ignore
  }
  return { proposals, dockerfile, ignore }
}

async function candidates({ name, dockerfile, ignore, hasFile, otherTrees }: FixInput): Promise<readonly Proposal[]> {
  const { lintWithRules, defaultLintSettings, stageViews } = await loadRules()
  const tree = parseDockerfile({ name, text: dockerfile })
  const subject: FixSubject = {
    tree,
    stages: stageViews(tree),
    findings: lintWithRules(tree, { ...defaultLintSettings, withoutPragmas: true }),
    ignore,
    hasFile,
  }
  const kinds = [bindMounts, ownedCopies, joinedRuns, cacheMounts, cleanerRuns, earlierInstalls, ignoreLines]
  return [...kinds.flatMap(kind => kind(subject)), ...(otherTrees ? splitStages(subject) : [])]
}
