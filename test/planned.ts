import { UserError, type Warning } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import type { ContainerConfig, Platform } from '#oci'
import {
  type BuildPlan,
  type CopyStep,
  planBuild,
  type PlanOptions,
  type ResolvedImage,
  type RunStep,
  type StagePlan,
} from '#plan'

const amd64: Platform = { os: 'linux', architecture: 'amd64' }
export const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface Planned {
  readonly plan: BuildPlan
  readonly stage: StagePlan
  readonly warnings: readonly Warning[]
  /** `reference platform` of every image that was asked for. */
  readonly asked: readonly string[]
}

export async function planned(
  text: string,
  options: Partial<Omit<PlanOptions, 'tree'>> & { readonly image?: ContainerConfig } = {},
): Promise<Planned> {
  const warnings: Warning[] = []
  const asked: string[] = []
  const { image = { Env: ['PATH=/bin'] }, ...rest } = options
  const plan = await planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    platform: amd64,
    buildPlatform: amd64,
    warn: warning => warnings.push(warning),
    resolveImage: async (reference, { os, architecture }) => {
      asked.push(`${reference} ${os}/${architecture}`)
      if (reference.includes('missing')) throw new UserError(`no image ${reference}`, { hint: 'none' })
      return resolved(reference, image)
    },
    ...rest,
  })
  const stage = plan.stages[plan.target]
  if (!stage) throw new Error('no target')
  return { plan, stage, warnings, asked }
}

export function resolved(reference: string, config: ContainerConfig): ResolvedImage {
  return {
    reference,
    id: `sha256:${'0'.repeat(64)}`,
    config: { ...amd64, author: 'base', config, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  }
}

export const lines = async (text: string, options?: Parameters<typeof planned>[1]): Promise<readonly string[]> =>
  (await planned(text, options)).stage.history.map(({ createdBy }) => createdBy)

export const config = async (text: string, options?: Parameters<typeof planned>[1]): Promise<ContainerConfig> =>
  (await planned(text, options)).stage.config

export const run = async (text: string, options?: Parameters<typeof planned>[1]): Promise<RunStep> => {
  const step = (await planned(text, options)).stage.steps.findLast(({ kind }) => kind === 'run')
  return step as RunStep
}

export const copy = async (text: string, options?: Parameters<typeof planned>[1]): Promise<CopyStep> =>
  (await planned(text, options)).stage.steps.findLast(({ kind }) => kind === 'copy') as CopyStep

/** Message and words under the caret. */
export async function failure(
  text: string,
  options?: Parameters<typeof planned>[1],
): Promise<readonly [string, string | undefined]> {
  try {
    await planned(text, options)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return [error.message, error.at?.source.text.slice(error.at.span.start, error.at.span.end)]
  }
  throw new Error(`planned: ${text}`)
}
