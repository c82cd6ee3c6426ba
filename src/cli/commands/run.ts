import { Option } from 'commander'
import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'
import { collect } from '../options/collect.ts'
import { checkNameValue } from '../options/name-value.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface RunFlags extends RegistryFlags {
  readonly rm?: boolean
  /** Empty: without a name. */
  readonly keep?: string
  readonly interactive?: boolean
  readonly tty?: boolean
  /** As given: NAME or NAME=VALUE. */
  readonly env?: readonly string[]
  /** As given: SOURCE:TARGET[:MODE]. */
  readonly volume?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly entrypoint?: string
  readonly network: 'host' | 'none'
  readonly hostname?: string
  readonly pull: 'missing' | 'always' | 'never'
}

/** Options of `slipway run`. */
export const run: Declare = (command, act) => {
  command
    .usage('[options] <image> [command...]')
    .argument('<image>', 'name or id of an image; one that the store lacks is pulled')
    .argument('[command...]', 'what to run, with its arguments, instead of the CMD of the image')
    .passThroughOptions()
    .option('--rm', 'throw away what the command wrote; this is what happens anyway')
    .addOption(new Option('--no-rm').hideHelp())
    .option('--keep [name]', 'keep what the command wrote, as a new image')
    .option('-i, --interactive', 'give the command our standard input')
    .option('-t, --tty', 'give the command our terminal')
    .option(
      '-e, --env <name=value>',
      'set a variable; NAME alone takes the environment (repeatable)',
      collect(checkNameValue('--env')),
    )
    .option(
      '-v, --volume <host:path>',
      'show a directory or file of the host, HOST:PATH or HOST:PATH:ro (repeatable)',
      collect(String),
    )
    .option('-w, --workdir <path>', 'start in this directory')
    .option('-u, --user <user>', 'run as this user, USER or USER:GROUP')
    .option('--entrypoint <program>', 'run this program instead of the ENTRYPOINT of the image')
    .option('--network <mode>', 'host, or none', choice('--network', ['host', 'none'] as const), 'host')
    .option('--hostname <name>', 'the host name that the command sees')
    .option(
      '--pull <when>',
      'ask the registry for the image: missing, always or never',
      choice('--pull', ['missing', 'always', 'never'] as const),
      'missing',
    )
    .action(
      act(async (context, image: string, words: readonly string[], flags: RunFlags) => {
        const { runCommand } = await import('../actions/run-command.ts')
        return runCommand(image, words, flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway run --rm app', does: 'run what the image says; exit as it exits' },
    { command: 'slipway run --rm -it debian bash', does: 'a shell to look around' },
    { command: 'slipway run --rm -v "$PWD":/src -w /src golang go test ./...', does: 'a tool on the files here' },
  ])
}
