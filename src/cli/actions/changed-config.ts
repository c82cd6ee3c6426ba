import { type Source, UserError } from '#diagnostics'
import { parseDockerfile, type StageInstruction } from '#dockerfile'
import type { ContainerConfig, Platform } from '#oci'
import { planBuild } from '#plan'

/** Instructions that only change an image's configuration. */
const allowed: readonly StageInstruction['kind'][] = [
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'shell',
  'stopsignal',
  'user',
  'volume',
  'workdir',
]

/** The configuration that instructions (as `docker import --change` takes them) give to an image. Throws a `UserError`. */
export async function changedConfig(changes: readonly string[], platform: Platform): Promise<ContainerConfig> {
  if (changes.length === 0) return {}
  const source: Source = { name: '--change', text: ['FROM scratch', ...changes].join('\n') }
  const tree = parseDockerfile(source)
  const stages = tree.stages.length
  const wrong = tree.stages.flatMap(stage => stage.instructions).find(each => !allowed.includes(each.kind))
  if (wrong || stages > 1) {
    throw new UserError(`--change cannot ${wrong ? wrong.kind.toUpperCase() : 'FROM'}`, {
      hint: `it takes ${allowed.map(kind => kind.toUpperCase()).join(', ')}`,
    })
  }
  const resolveImage = (): never => {
    throw new Error('FROM scratch asks for no image')
  }
  const plan = await planBuild({ tree, platform, resolveImage })
  return plan.stages[plan.target]?.config ?? {}
}
