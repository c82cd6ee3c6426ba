import { nearest, type WarningSink } from '#diagnostics'
import type { DockerfileTree, Instruction } from '#dockerfile'
import type { Discovered } from './discover.ts'
import type { GlobalScope } from './global-scope.ts'
import { isProxyArgument } from './proxy-arguments.ts'

/** Arguments that mean something to the builder itself (section 8.9 of the language page). */
const builderArguments = new Set([
  'BUILDKIT_SYNTAX',
  'BUILDKIT_INLINE_CACHE',
  'BUILDKIT_MULTI_PLATFORM',
  'BUILDKIT_CACHE_MOUNT_NS',
  'BUILDKIT_CONTEXT_KEEP_GIT_DIR',
  'BUILDKIT_SANDBOX_HOSTNAME',
  'BUILDKIT_DOCKERFILE_CHECK',
  'BUILDKIT_BUILD_NAME',
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
  'SOURCE_DATE_EPOCH',
])

/** Those that ask for something that is not there, and what there is instead. */
const withoutEffect: ReadonlyMap<string, string> = new Map([
  ['BUILDKIT_MULTI_PLATFORM', 'one platform makes no index; several do: --platform linux/amd64,linux/arm64'],
  ['BUILDKIT_BUILD_NAME', 'builds have no names; name the image with -t'],
  ['BUILDKIT_SBOM_SCAN_CONTEXT', 'no SBOM is written'],
  ['BUILDKIT_SBOM_SCAN_STAGE', 'no SBOM is written'],
])

/** Warns about every build argument that no ARG of the file, and no trigger of a base image, declares. */
export function warnAboutUnusedArgs(
  {
    tree,
    globals,
    stages,
  }: { readonly tree: DockerfileTree; readonly globals: GlobalScope; readonly stages: readonly Discovered[] },
  { buildArgs, warn }: { readonly buildArgs: ReadonlyMap<string, string>; readonly warn: WarningSink },
): void {
  const instructions: Instruction[] = [
    ...tree.stages.flatMap(stage => stage.instructions),
    ...stages.flatMap(stage => stage.instructions.map(({ instruction }) => instruction)),
  ]
  const declared = new Set([...globals.declared, ...instructions.flatMap(declaredNames)])
  for (const [name, value] of buildArgs) {
    const instead = withoutEffect.get(name)
    if (instead !== undefined && !/^(|0|f|false)$/i.test(value))
      warn({ code: 'UnusedBuildArg', message: `--build-arg ${name} has no effect`, hint: instead })
    if (declared.has(name) || builderArguments.has(name) || isProxyArgument(name)) continue
    const near = nearest(name, declared)
    warn({
      code: 'UnusedBuildArg',
      message: `--build-arg ${name} is not used: no ARG declares it`,
      hint: near === undefined ? `declare it with ARG ${name}, or leave it out` : `did you mean ${near}?`,
    })
  }
}

function declaredNames(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'onbuild') return declaredNames(instruction.trigger)
  return instruction.kind === 'arg' ? instruction.args.map(({ name }) => name.text) : []
}
