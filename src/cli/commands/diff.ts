import { Option } from 'commander'
import { parsePlatform, type Platform } from '#oci'
import { addExamples, type Declare } from '../command-entry.ts'
import { countOption } from '../options/count.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface DiffFlags extends RegistryFlags {
  readonly format: ListFormat
  readonly exitCode?: boolean
  /** False with `--no-times`. */
  readonly times: boolean
  readonly platform?: Platform
  /** Rows of each list; 0 for all. */
  readonly top: number
}

/** Options of `slipway diff`. */
export const diff: Declare = (command, act) => {
  command
    .argument('<first>', 'an image of the store, docker://NAME, oci-layout:DIR, oci-archive:FILE, docker-archive:FILE')
    .argument('<second>', 'what it is compared with')
    .option('--exit-code', 'exit code 1 when they differ')
    .option('--no-times', 'modification times of files are no difference')
    .addOption(formatOption('table, or json: one object (docs/schemas/diff.json)'))
    .addOption(countOption('--top <number>', 'rows of each list, 0 for all', 20))
    .addOption(new Option('--platform <platform>', 'which image of several').argParser(parsePlatform))
    .action(
      act(async (context, first: string, second: string, flags: DiffFlags) => {
        const { diffCommand } = await import('../actions/diff-command.ts')
        return diffCommand([first, second], flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway diff app:1 app:2', does: 'what changed from one version to the next' },
    { command: 'slipway diff --exit-code --no-times app:1 oci-archive:app.tar', does: 'are they the same?' },
  ])
}
