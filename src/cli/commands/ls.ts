import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface LsFlags extends ImageFlags {
  readonly long?: boolean
  readonly recursive?: boolean
  readonly format: ListFormat
}

/** Options of `slipway ls`. */
export const ls: Declare = (command, act) => {
  command
    .argument('<image>', imageNotations)
    .argument('[path]', 'a file or directory in it', '/')
    .option('-l, --long', 'with type, mode, owner, size and time')
    .option('-R, --recursive', 'everything below the path')
    .addOption(formatOption('table, or json: one object for each file, on a line'))
    .action(
      act(async (context, image: string, path: string, flags: LsFlags) => {
        const { lsCommand } = await import('../actions/ls-command.ts')
        return lsCommand({ image, path }, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway ls -l app /etc', does: 'one directory' },
    { command: 'slipway ls -R docker://registry.example/app:1 /usr/lib', does: 'of a registry, nothing is stored' },
  ])
}
