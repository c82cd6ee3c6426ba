import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface NeedsFlags extends ImageFlags {
  readonly format: ListFormat
  readonly in?: string
  readonly from?: string
  /** False with `--no-run-time`. */
  readonly runTime: boolean
  readonly exitCode?: boolean
}

/** Options of `slipway needs`. */
export const needs: Declare = (command, act) => {
  command
    .argument('<image>', imageNotations)
    .argument('<paths...>', 'absolute paths of programs in it')
    .option('--in <image>', 'say what that image lacks; the COPY lines bring only that')
    .option(
      '--from <name>',
      'the stage that COPY lines name; default: the image or stage itself; build where it is an archive',
    )
    .option('--no-run-time', 'leave out what may be opened while the programs run')
    .option('--exit-code', 'exit code 1 when something is missing, in the image or with --in')
    .addOption(formatOption('table, or json: one object (docs/schemas/needs.json)'))
    .action(
      act(async (context, image: string, paths: readonly string[], flags: NeedsFlags) => {
        const { needsCommand } = await import('../actions/needs-command.ts')
        return needsCommand(image, paths, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway needs builder /usr/bin/curl', does: 'its libraries, loader and files, with COPY lines' },
    {
      command: 'slipway needs builder /app/server --in base --from build',
      does: 'what a last stage on "base" still lacks',
    },
  ])
}
