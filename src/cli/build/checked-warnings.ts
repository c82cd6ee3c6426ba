import { UserError, type Warning } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { lintDockerfile } from '#lint'
import type { BuildPlan, StagePlan } from '#plan'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import { buildArguments } from './plan-from-options.ts'
import type { ReadDockerfile } from './read-dockerfile.ts'

/** What is checked, and what is known about it. */
export interface Checking {
  readonly dockerfile: ReadDockerfile
  readonly flags: BuildFlags
  /** Undefined when planning failed: then instructions of all stages are looked at. */
  readonly plans: readonly BuildPlan[] | undefined
  /** What planning warned of. */
  readonly found: readonly Warning[]
}

/** The warnings of planning and of the build checks, as the file and the command line want them, no secret in their excerpts. Throws a `UserError`. */
export async function checkedWarnings(
  { dockerfile, flags, plans, found }: Checking,
  context: CliContext,
): Promise<readonly Warning[]> {
  const { BUILDKIT_DOCKERFILE_CHECK: setting } = buildArguments(flags, context)
  const stages = plans?.flatMap(plan => plan.stages.map(stage => ({ stage, plan })))
  const warnings = lintDockerfile(parseDockerfile(dockerfile.source), {
    found,
    ignore: dockerfile.ignore,
    ...(setting !== undefined && { setting }),
    ...(stages && {
      stages: new Set(stages.map(({ stage }) => stage.position)),
      shellInBase: new Set(
        stages.filter(({ stage, plan }) => baseSetsShell(stage, plan)).map(each => each.stage.position),
      ),
    }),
  })
  // The rules for secrets are loaded where there is something to hide them in.
  if (warnings.every(({ at }) => at === undefined)) return warnings
  const { withHiddenSecrets } = await import('../scan/hide-secrets.ts')
  return withHiddenSecrets(warnings)
}

function baseSetsShell({ base }: StagePlan, { stages }: BuildPlan): boolean {
  switch (base.kind) {
    case 'scratch':
      return false
    case 'stage':
      return (stages[base.stage]?.config.Shell ?? []).length > 0
    case 'image': {
      // A configuration from outside may hold anything.
      const shell: unknown = base.image.config.config.Shell
      return Array.isArray(shell) && shell.length > 0
    }
  }
}

/** Ends a build whose file asks for it (`# check=error=true`). Throws a `UserError`. */
export function refuseFailing(warnings: readonly Warning[]): void {
  const failing = warnings.filter(({ fails }) => fails)
  const [first] = failing
  if (!first) return
  const names = [...new Set(failing.map(({ code }) => code))].join(', ')
  throw new UserError(
    `the build checks found ${failing.length === 1 ? 'an error' : `${failing.length} errors`}: ${names}`,
    {
      hint: 'mend them; "# check=skip=NAME" turns a check off, "error=true" makes its warnings errors',
      details: failing.map(({ code, message }) => `${code}: ${message}`),
      ...(first.at && { at: first.at }),
    },
  )
}
