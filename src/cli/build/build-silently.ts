import { readFileSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { buildCommand } from '../actions/build-command.ts'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'

/** What to build, as the command line of `slipway build` has it. */
export type SilentBuild = Pick<
  BuildFlags,
  'file' | 'target' | 'buildArg' | 'platform' | 'registryMirror' | 'insecureRegistry'
> & {
  /** PATH. */
  readonly path: string
  /** Show on standard error what is being built; else nothing at all. */
  readonly shown?: boolean
}

/** Builds for another command, which has standard output for itself; gives the image's id. Throws what the build throws. */
export function buildSilently({ path, shown = false, ...flags }: SilentBuild, context: CliContext): Promise<string> {
  return withStore(context, async store => {
    const iidfile = await store.temporary('image-id')
    const quiet = {
      ...context,
      stdout: silent(context.stdout),
      stderr: shown ? context.stderr : silent(context.stderr),
    }
    const how = shown ? ({ progress: 'auto' } as const) : ({ progress: 'quiet', quiet: true } as const)
    const code = await buildCommand(path, { ...flags, ...how, iidfile, secrets: 'off', cache: true }, quiet)
    if (code !== 0) throw new UserError('the Dockerfile cannot be built', { hint: 'try it with "slipway build"' })
    return readFileSync(iidfile, 'utf8')
  })
}

/** A stream that takes everything and shows nothing. */
function silent(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return new Proxy(stream, {
    get: (target, name, receiver): unknown =>
      name === 'write' ? () => true : name === 'isTTY' ? false : Reflect.get(target, name, receiver),
  })
}
