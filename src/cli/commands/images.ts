import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'

export interface ImagesFlags {
  readonly quiet?: boolean
  /** False with `--no-trunc`. */
  readonly trunc: boolean
  readonly digests?: boolean
  readonly format: ListFormat
}

/** Options of `slipway images`. */
export const images: Declare = (command, act) => {
  command
    .argument('[name]', 'only images of this name: NAME or NAME:TAG')
    .option('-q, --quiet', 'print only image ids')
    .option('--no-trunc', 'print whole image ids')
    .option('--digests', 'show the digest that the name stood for at its registry')
    .addOption(formatOption())
    .action(
      act(async (context, name: string | undefined, flags: ImagesFlags) => {
        const { imagesCommand } = await import('../actions/images-command.ts')
        return imagesCommand(name, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway images', does: 'all images of the local store, the newest first' },
    { command: 'slipway images --format json | jq -r .Repository', does: 'their names, for a script' },
  ])
}
