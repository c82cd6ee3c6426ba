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

/** What keeps the tree, in the order of trying. */
const kinds = [bindMounts, ownedCopies, joinedRuns, cacheMounts, cleanerRuns, earlierInstalls, ignoreLines]

/** What makes another tree: one of these is enough, as it has chosen its base. */
const otherTreeKinds = [splitStages, otherBases]

/** All changes that are worth making, one after the other. Throws a `UserError` when the file cannot be parsed. */
export async function proposeFixes(input: FixInput): Promise<FixChain> {
  const proposals: Proposal[] = []
  let { dockerfile, ignore } = input
  const made = new Set(input.without)
  while (proposals.length < most) {
    const subject = await subjectOf({ ...input, dockerfile, ignore })
    const mayBeOther = input.otherTrees && proposals.every(({ keepsTree }) => keepsTree)
    const next = firstOf(mayBeOther ? [...kinds, ...otherTreeKinds] : kinds, subject, made)
    if (!next) break
    proposals.push(next)
    made.add(next.key)
    dockerfile = next.dockerfile
    ignore = next.ignore ?? ignore
  }
  return { proposals, dockerfile, ignore }
}

/** Kinds behind the first proposal are not asked: what images say takes its time. */
function firstOf(
  from: readonly ((subject: FixSubject) => readonly Proposal[])[],
  subject: FixSubject,
  made: ReadonlySet<string>,
): Proposal | undefined {
  for (const kind of from) {
    const found = kind(subject).find(({ key }) => !made.has(key))
    if (found) return found
  }
  return undefined
}

async function subjectOf({ name, dockerfile, ignore, hasFile, measured }: FixInput): Promise<FixSubject> {
  const { lintWithRules, defaultLintSettings, stageViews } = await loadRules()
  const tree = parseDockerfile({ name, text: dockerfile })
  return {
    tree,
    stages: stageViews(tree),
    findings: lintWithRules(tree, { ...defaultLintSettings, withoutPragmas: true }),
    ignore,
    hasFile,
    ...(measured && { measured }),
  }
}
