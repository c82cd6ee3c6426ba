import { ExitCode, UserError, type Warning } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { type BuildPlan, type FileOptions, listTargets, outlineOf, type ResolvedImage, type StagePlan } from '#plan'
import { buildArguments, type Planning, plansFromOptions, type WantedImage } from '../build/plan-from-options.ts'
import { checkedWarnings } from '../build/checked-warnings.ts'
import type { CliContext } from '../context.ts'
import type { CallOption } from '../options/call.ts'
import { outlineJson, outlineText, targetsJson, targetsText, warningsJson, warningsText } from './call-texts.ts'

/** What is looked at. */
export type Call = Omit<Planning, 'warn' | 'everyStage' | 'standIn'>

/** `slipway build --call METHOD`: looks at the file and builds nothing. Needs no images. Gives the exit code. */
export async function callCommand(given: Call, { method, format }: CallOption, context: CliContext): Promise<number> {
  const call = allowed(given)
  const { stdout } = context
  const width = stdout.isTTY ? stdout.columns : undefined
  switch (method) {
    case 'check':
      return check(call, format, context)
    case 'outline': {
      const [plan] = await plansFromOptions({ ...call, warn: () => {}, standIn }, context)
      if (!plan) throw new Error('no platform')
      const outline = outlineOf(fileOptions(call, context), plan)
      stdout.write(format === 'json' ? outlineJson(outline) : outlineText(outline, width))
      return ExitCode.ok
    }
    case 'targets': {
      const targets = listTargets(fileOptions(call, context))
      stdout.write(format === 'json' ? targetsJson(targets) : targetsText(targets, width))
      return ExitCode.ok
    }
  }
}

/** Nothing is run, so nothing has to be allowed. */
function allowed(call: Call): Call {
  return { ...call, flags: { ...call.flags, allow: ['network.host', 'security.insecure'] } }
}

function fileOptions({ dockerfile, flags }: Call, context: CliContext): FileOptions {
  const [platform] = flags.platform ?? []
  return {
    tree: parseDockerfile(dockerfile.source),
    ...(flags.target !== undefined && { target: flags.target }),
    ...(platform && { platform }),
    buildArgs: buildArguments(flags, context),
  }
}

/** All stages, or what a target needs. What is wrong with the file is told below its warnings. */
async function check(call: Call, format: CallOption['format'], context: CliContext): Promise<number> {
  const { dockerfile, flags } = call
  const found: Warning[] = []
  const absent = new Set<string>()
  let plans: readonly BuildPlan[] | undefined
  let failure: UserError | undefined
  try {
    const planning: Planning = {
      ...call,
      warn: warning => found.push(warning),
      everyStage: !flags.target,
      standIn: (error, wanted) => {
        absent.add(wanted.reference)
        return standIn(error, wanted)
      },
    }
    plans = await plansFromOptions(planning, context)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    failure = error
  }
  const known = found.filter(warning => isCertain(warning, plans, absent))
  const warnings = await checkedWarnings({ dockerfile, flags, plans, found: known }, context)
  for (const reference of absent) {
    context.stderr.write(`note: ${reference} is not in the local store: what its environment sets is not known\n`)
  }
  const color = context.color.stdout
  context.stdout.write(format === 'json' ? warningsJson(warnings) : warningsText(warnings, { color }))
  if (failure) throw failure
  return warnings.length === 0 ? ExitCode.ok : ExitCode.failure
}

const standInId = 'unknown'

/** An empty image in place of one that cannot be had. */
function standIn(_error: UserError, { reference, platform, place }: WantedImage): ResolvedImage {
  return {
    reference,
    id: standInId,
    config: { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
    place,
  }
}

/** An image that is not here may set the variable. */
function isCertain(
  { code, at }: Warning,
  plans: readonly BuildPlan[] | undefined,
  absent: ReadonlySet<string>,
): boolean {
  if (code !== 'UndefinedVar' || absent.size === 0 || !at) return true
  if (!plans) return false
  return plans.every(plan => {
    const stage = plan.stages.findLast(({ place }) => place.source === at.source && place.span.start <= at.span.start)
    return !stage || !standsOnNothing(stage, plan)
  })
}

function standsOnNothing({ base }: StagePlan, plan: BuildPlan): boolean {
  if (base.kind !== 'stage') return base.kind === 'image' && base.image.id === standInId
  const parent = plan.stages[base.stage]
  return parent !== undefined && standsOnNothing(parent, plan)
}
