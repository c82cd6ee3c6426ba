import { addExamples, type Declare } from '../command-entry.ts'
import { countOption } from '../options/count.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface DiffFlags extends ImageFlags {
  readonly format: ListFormat
  readonly exitCode?: boolean
  /** False with `--no-times`. */
  readonly times: boolean
  /** Rows of each list; 0 for all. */
  readonly top: number
}

/** Options of `slipway diff`. */
export const diff: Declare = (command, act) => {
  command
    .argument('<first>', imageNotations)
    .argument('<second>', 'what it is compared with')
    .option('--exit-code', 'exit code 1 when they differ')
    .option('--no-times', 'modification times of files are no difference')
    .addOption(formatOption('table, or json: one object (docs/schemas/diff.json)'))
    .addOption(countOption('--top <number>', 'rows of each list, 0 for all', 20))
    .action(
      act(async (context, first: string, second: string, flags: DiffFlags) => {
        const { diffCommand } = await import('../actions/diff-command.ts')
        return diffCommand([first, second], flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway diff app:1 app:2', does: 'what changed from one version to the next' },
    { command: 'slipway diff --exit-code --no-times app:1 oci-archive:app.tar', does: 'are they the same?' },
  ])
}
