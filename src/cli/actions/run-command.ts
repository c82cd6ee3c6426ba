import { randomBytes } from 'node:crypto'
import { chainOf, findImage, hasImage, imageConfig, runContainer } from '#build'
import { UserError } from '#diagnostics'
import { findHostTools } from '#linux'
import { hostPlatform, type ImageConfig } from '#oci'
import type { ImageRecord, Store } from '#store'
import type { RunFlags } from '../commands/run.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace } from '../namespace.ts'
import { parseNameValue } from '../options/name-value.ts'
import { parseReferences } from '../options/references.ts'
import { parseTag } from '../options/tag.ts'
import { parseVolume } from '../options/volume.ts'
import { idCounter } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { usageError } from '../usage-error.ts'

/** `slipway run`: ends with the exit code of the command. */
export async function runCommand(
  name: string,
  words: readonly string[],
  flags: RunFlags,
  context: CliContext,
): Promise<number> {
  checkFlags(flags, context)
  const options = containerFlags(flags, context)
  const inner = await enterNamespace(context, true)
  if (inner !== undefined) return inner
  return withStore(
    context,
    async store => {
      const image = await wantedImage(store, name, { flags, context })
      chainOf(store, image)
      const config = await imageConfig(store, image.id)
      const { stdout, stderr, interrupts, environment } = context
      const interactive = flags.interactive === true || flags.tty === true
      // In the foreground of a terminal the command itself decides what Ctrl-C means.
      using _ = interactive ? interrupts.takeOver(() => {}) : undefined
      const result = await runContainer({
        store,
        image,
        host: findHostTools(environment['PATH']),
        command: words,
        ...options,
        env: [...defaultEnvironment(config, options.hostname, flags), ...options.env],
        interactive,
        onOutput: (stream, data) => void (stream === 'stdout' ? stdout : stderr).write(data),
        keep: flags.keep !== undefined,
        signal: interrupts.signal,
        now: context.now,
      })
      if (result.kept !== undefined) keepImage(store, { id: result.kept, name: flags.keep }, context)
      if (result.oomKilled) stderr.write('the command was ended because the machine ran out of memory\n')
      return result.exitCode
    },
    flags,
  )
}

/** The image of a name: of the store, or pulled. */
async function wantedImage(
  store: Store,
  name: string,
  { flags, context }: { readonly flags: RunFlags; readonly context: CliContext },
): Promise<ImageRecord> {
  const always = flags.pull === 'always'
  if (flags.pull === 'never' || (!always && hasImage(store, name))) return findImage(store, name)
  const [reference] = parseReferences([name])
  if (!reference) return findImage(store, name)
  const { pullImage } = await import('./pull-command.ts')
  const { id } = await withProgress('auto', context, progress => {
    const teller = { progress, nextId: idCounter(), now: context.now }
    return pullImage(store, { reference, platform: hostPlatform(), always }, { teller, context })
  })
  return findImage(store, id)
}

function checkFlags(flags: RunFlags, { stdin, stdout }: CliContext): void {
  if (flags.rm === false && flags.keep === undefined) {
    throw usageError(
      '--rm=false: no container stays behind',
      'keep what the command writes, as a new image: --keep=NAME',
    )
  }
  if (flags.rm && flags.keep !== undefined) {
    throw usageError('--rm and --keep contradict each other', 'leave one of them out')
  }
  if (flags.keep) parseTag(flags.keep, '--keep')
  if (flags.tty && !(stdin.isTTY && stdout.isTTY)) {
    throw new UserError('--tty needs a terminal, and there is none', { hint: 'leave --tty (-t) out' })
  }
}

function containerFlags(flags: RunFlags, { directory, environment }: CliContext) {
  const { entrypoint, workdir, user } = flags
  return {
    env: (flags.env ?? []).flatMap(text => {
      const pair = parseNameValue(text, '--env', environment)
      return pair ? [pair.join('=')] : []
    }),
    volumes: (flags.volume ?? []).map(text => parseVolume(text, directory)),
    hostname: flags.hostname ?? randomBytes(6).toString('hex'),
    network: flags.network,
    ...(entrypoint !== undefined && { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
    ...(workdir !== undefined && { workdir }),
    ...(user !== undefined && { user }),
  }
}

/** What Docker sets unless the image does. */
function defaultEnvironment({ config }: ImageConfig, hostname: string, { tty }: RunFlags): string[] {
  const lines = [`HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : [])]
  const given = new Set((config.Env ?? []).map(line => line.split('=', 1)[0]))
  return lines.filter(line => !given.has(line.split('=', 1)[0]))
}

interface Kept {
  readonly id: Parameters<Store['images']['tag']>[1]
  readonly name: string | undefined
}

function keepImage(store: Store, { id, name }: Kept, { stderr }: CliContext): void {
  if (name) store.images.tag(parseTag(name, '--keep'), id)
  stderr.write(`kept as ${name ? `${name} (${id})` : id}\n`)
}
