import type { CliContext } from '../context.ts'
import type { ImageFlags } from '../options/image-options.ts'
import { usageError } from '../usage-error.ts'

/** Whether a name is that of a stage, which has to be built. */
export function isStage(name: string): boolean {
  return /^stage:./.test(name)
}

/** Throws a usage error for options that say how to build: for where there is nothing to build. */
export function refuseStageOptions({ file, context, buildArg }: ImageFlags): void {
  const given = file !== undefined ? '--file' : context !== undefined ? '--context' : buildArg ? '--build-arg' : ''
  if (given === '') return
  throw usageError(`${given} says how to build a stage, and none is named`, 'write stage:NAME for the image')
}

/**
 * Builds the stages that are named (`stage:NAME`), each once; gives their ids by what was written. Throws what a build throws, and a
 * usage error for options that say how to build where there is nothing to build.
 */
export async function stageImages(
  names: readonly string[],
  flags: ImageFlags,
  context: CliContext,
): Promise<ReadonlyMap<string, string>> {
  const stages = [...new Set(names.filter(isStage))]
  const { file, context: directory, buildArg, platform, registryMirror, insecureRegistry } = flags
  if (stages.length === 0) refuseStageOptions(flags)
  if (stages.length === 0) return new Map()
  const { buildSilently } = await import('../build/build-silently.ts')
  const built = new Map<string, string>()
  for (const name of stages) {
    const id = await buildSilently(
      {
        path: directory ?? '.',
        target: name.slice('stage:'.length),
        shown: true,
        ...(file !== undefined && { file }),
        ...(buildArg && { buildArg }),
        ...(platform && { platform: [platform] }),
        ...(registryMirror && { registryMirror }),
        ...(insecureRegistry && { insecureRegistry }),
      },
      context,
    )
    built.set(name, id)
  }
  return built
}
