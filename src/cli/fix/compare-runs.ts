import type { Study } from '#analyze'
import { findImage, imageConfig, runContainer } from '#build'
import { UserError } from '#diagnostics'
import { findHostTools } from '#linux'
import { lookup } from '#tree'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'

/** What a command did in two images. */
export interface RunProof {
  readonly command: string
  readonly equal: boolean
  readonly exitCodes: readonly [number, number]
  /** Why it could not be started in the changed image. */
  readonly failure?: string
}

interface RunResult {
  readonly exitCode: number
  readonly output: string
  /** It was not even started. */
  readonly failure?: string
}

/** A text without anything that only a shell understands; variables in front of the command are such a thing. */
const plainWords = /^ *[\w@%+:,./-]+(?: +[\w@%+=:,./-]+)* *$/

/**
 * Runs a command in an image, and gives what compares that with other images. With `/bin/sh -c`; plain words are run as they are, in both,
 * where one of the two has no shell. Throws a `UserError` where the command cannot be started in the first image.
 */
export async function commandComparison(
  before: Study,
  command: string,
  context: CliContext,
): Promise<(after: Study) => Promise<RunProof>> {
  const argumentsFor = (shells: boolean): readonly string[] =>
    shells || !plainWords.test(command) ? ['/bin/sh', '-c', command] : command.trim().split(/ +/)
  const own = argumentsFor(hasShell(before))
  const first = await runIn(before.image.id, own, context)
  return async after => {
    const args = argumentsFor(hasShell(before) && hasShell(after))
    const one = args.join('\0') === own.join('\0') ? first : await tryIn(before.image.id, args, context)
    const two = await tryIn(after.image.id, args, context)
    const failure = two.failure ?? one.failure
    return {
      command,
      equal: failure === undefined && one.exitCode === two.exitCode && one.output === two.output,
      exitCodes: [one.exitCode, two.exitCode],
      ...(failure !== undefined && { failure }),
    }
  }
}

function hasShell({ trace }: Study): boolean {
  return lookup(trace.tree, '/bin/sh').entry !== undefined
}

async function tryIn(id: string, args: readonly string[], context: CliContext): Promise<RunResult> {
  try {
    return await runIn(id, args, context)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { exitCode: error.exitCode, output: '', failure: error.message }
  }
}

function runIn(id: string, args: readonly string[], context: CliContext): Promise<RunResult> {
  return withStore(context, async store => {
    const image = findImage(store, id)
    const { config } = await imageConfig(store, image.id)
    const chunks: Uint8Array[] = []
    const { exitCode } = await runContainer({
      store,
      image,
      host: findHostTools(context.environment['PATH']),
      command: args,
      entrypoint: [],
      env: (config.Env ?? []).some(pair => pair.startsWith('PATH='))
        ? []
        : ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      volumes: [],
      hostname: 'slipway',
      network: 'none',
      interactive: false,
      onOutput: (_stream, data) => void chunks.push(data),
      keep: false,
      signal: context.interrupts.signal,
      now: context.now,
    })
    return { exitCode, output: Buffer.concat(chunks).toString('latin1') }
  })
}
