import { addExamples, type Declare } from '../command-entry.ts'
import { collect } from '../options/collect.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'

export interface ImportFlags {
  readonly change?: readonly string[]
  readonly message?: string
  readonly platform?: string
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

/** Options of `slipway import`. */
export const importImage: Declare = (command, act) => {
  command
    .argument('<file>', 'a tar archive (may be compressed), "-" for standard input')
    .argument('[name]', 'name the image NAME[:TAG]')
    .option(
      '-c, --change <instruction>',
      'a Dockerfile instruction such as "CMD [\\"/app\\"]" (repeatable)',
      collect(String),
    )
    .option('-m, --message <text>', 'the comment in the history of the image')
    .option('--platform <os/arch>', 'the platform of the image (default: that of this machine)')
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the image id')
    .action(
      act(async (context, file: string, name: string | undefined, flags: ImportFlags) => {
        const { importCommand } = await import('../actions/import-command.ts')
        return importCommand(file, name, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway import rootfs.tar.xz base:1', does: 'an image with one layer' },
    { command: 'tar -c -C root . | slipway import -c \'CMD ["/bin/sh"]\' - base', does: 'from a pipe, with a CMD' },
  ])
}
