import type { Place, WarningSink } from '#diagnostics'
import type { DockerfileTree } from '#dockerfile'
import { hostPlatform } from '#oci'
import type { BuildPlan } from './build-plan.ts'
import { discover } from './discover.ts'
import { globalScope, platformArguments } from './global-scope.ts'
import { imageSource } from './image-source.ts'
import type { Entitlement, PlanOptions } from './plan-options.ts'
import { planStage, type PlannedStage } from './plan-stage.ts'
import { withResolvedEpoch } from './resolve-epoch.ts'
import { stageHeaders, targetPosition } from './stage-headers.ts'
import { sourceDateEpoch } from './source-date-epoch.ts'
import { warnAboutUnusedArgs } from './unused-build-args.ts'

/**
 * Dockerfile + arguments + base image configurations → stages and steps, every name resolved, every word expanded.
 * Only stages that the target needs are planned, and only their images are asked for. Throws a `UserError` at the exact
 * words. Warnings go to `warn` as they are found.
 */
export async function planBuild(options: PlanOptions): Promise<BuildPlan> {
  return planWithEpoch(await withResolvedEpoch(options, planWithEpoch))
}

async function planWithEpoch(options: PlanOptions): Promise<BuildPlan> {
  const { tree, target } = options
  const warn: WarningSink = options.warn ?? (() => {})
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}))
  const buildPlatform = options.buildPlatform ?? hostPlatform()
  const platform = options.platform ?? buildPlatform
  warnAboutFrontend(tree, buildArgs, warn)
  const builtIn = platformArguments({ platform, buildPlatform, target: target || undefined })
  const globals = globalScope(tree, { builtIn, buildArgs, warn })
  const epoch = sourceDateEpoch(tree, globals, buildArgs)
  const headers = stageHeaders(tree, { globals, warn })
  const position = targetPosition(headers, target)
  const wanted = options.everyStage ? headers.map(({ node }) => node.position) : [position]
  const found = await discover({ tree, headers, globals, images: imageSource(options), platform }, wanted)
  const indexes = new Map(found.map(({ header }, index) => [header.node.position, index]))
  const stages: PlannedStage[] = []
  for (const stage of found) {
    const labels = stage.header.node.position === position ? (options.labels ?? {}) : {}
    const runs = { network: options.network ?? 'default', allow: options.allow ?? new Set<Entitlement>() } as const
    stages.push(planStage(stage, { stages, indexes, globals, buildArgs, warn, labels, runs }))
  }
  warnAboutUnusedArgs({ tree, globals, stages: found }, { buildArgs, warn })
  return {
    stages: stages.map(({ plan }) => plan),
    target: indexes.get(position) ?? 0,
    platform,
    ...(epoch !== undefined && { epoch }),
  }
}

/** Another frontend than Docker's own cannot be run here: say that its rules do not apply. */
function warnAboutFrontend(tree: DockerfileTree, buildArgs: ReadonlyMap<string, string>, warn: WarningSink): void {
  const directive = tree.directives.find(({ name }) => name === 'syntax')
  const given = buildArgs.get('BUILDKIT_SYNTAX')
  const frontend = (given ?? directive?.value.text ?? '').split(/\s+/)[0] ?? ''
  if (frontend === '' || frontend === 'dockerfile.v0') return
  if (/^(docker\.io\/)?docker\/dockerfile(-upstream)?(:[^/]*|@.*)?$/.test(frontend)) return
  const at: Place | undefined =
    given === undefined && directive ? { source: tree.source, span: directive.value.span } : undefined
  warn({
    code: 'ExternalFrontend',
    message: `the frontend ${frontend} is not run: the file is read as a Dockerfile`,
    hint: 'use docker/dockerfile:1, or remove the directive',
    ...(at && { at }),
  })
}
