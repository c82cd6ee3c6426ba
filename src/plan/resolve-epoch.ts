import { nearest, UserError } from '#diagnostics'
import { hostPlatform } from '#oci'
import type { BuildPlan } from './build-plan.ts'
import { scopeOfOptions } from './global-scope.ts'
import { imageSource } from './image-source.ts'
import type { EpochSource, PlanOptions } from './plan-options.ts'
import { epochName } from './source-date-epoch.ts'

/**
 * SOURCE_DATE_EPOCH may name what has a date instead of being one (section 15.4 of the language page): `context`, a named
 * context, or a stage that is `FROM scratch` and one ADD of an address. The options with the number in place of the name,
 * or with an empty value, and a warning, where nobody knows a date. `plan` plans a stage. Throws a `UserError`.
 */
export async function withResolvedEpoch(
  options: PlanOptions,
  plan: (options: PlanOptions) => Promise<BuildPlan>,
): Promise<PlanOptions> {
  const text = options.buildArgs?.[epochName] ?? scopeOfOptions(options).values.get(epochName) ?? ''
  if (!options.resolveEpoch || text === '' || /^-?\d/.test(text)) return options
  const seconds = await options.resolveEpoch(await namedSource(text, options, plan))
  if (seconds === undefined) {
    options.warn?.({
      code: 'SourceDateEpoch',
      message: `${epochName} is ${JSON.stringify(text)}, which has no date here: no times are cut off`,
      hint: `a git repository, an archive or a URL has one; else give a number: --build-arg ${epochName}="$(git log -1 --pretty=%ct)"`,
    })
  }
  return withEpoch(options, seconds === undefined ? '' : String(seconds))
}

function withEpoch(options: PlanOptions, value: string): PlanOptions {
  return { ...options, buildArgs: { ...options.buildArgs, [epochName]: value } }
}

async function namedSource(
  text: string,
  options: PlanOptions,
  plan: (options: PlanOptions) => Promise<BuildPlan>,
): Promise<EpochSource> {
  if (text === 'context') return { kind: 'context' }
  const { tree } = options
  const context = imageSource(options).contextFor(text, options.platform ?? options.buildPlatform ?? hostPlatform())
  if (context?.kind === 'files') return { kind: 'named-context', name: context.name }
  const names = tree.stages.flatMap(({ name }) => name ?? [])
  if (!context && names.includes(text.toLowerCase())) {
    return stageSource(text, await plan({ ...withEpoch(options, ''), target: text, everyStage: false, warn: () => {} }))
  }
  const near = nearest(text, ['context', ...names])
  throw new UserError(
    context
      ? `${epochName} is the build context ${JSON.stringify(text)}: an image has no date of its sources`
      : `${epochName} is ${JSON.stringify(text)}: neither a number of seconds since 1970 nor the name of a context or stage`,
    {
      hint: `${near === undefined ? '' : `did you mean ${JSON.stringify(near)}? Else `}write for example --build-arg ${epochName}="$(git log -1 --pretty=%ct)"`,
    },
  )
}

/** The address that a stage adds and nothing else. */
function stageSource(name: string, { stages, target }: BuildPlan): EpochSource {
  const stage = stages[target]
  const [step, ...others] = stage?.steps ?? []
  const [source, ...more] = step?.kind === 'copy' ? step.sources : []
  if (
    stage?.base.kind === 'scratch' &&
    step?.kind === 'copy' &&
    (source?.kind === 'url' || source?.kind === 'git') &&
    others.length + more.length === 0
  )
    return { kind: source.kind, url: source.url, ...(step.checksum !== undefined && { checksum: step.checksum }) }
  throw new UserError(`${epochName} is the stage ${JSON.stringify(name)}, which has no date`, {
    hint: 'such a stage is FROM scratch and one ADD of a URL or of a git repository',
    ...(stage && { at: stage.place }),
  })
}
