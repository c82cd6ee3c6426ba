import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface HistoryFlags extends ImageFlags {
  readonly quiet?: boolean
  /** False with `--no-trunc`. */
  readonly trunc: boolean
  /** False with `--no-human`: sizes in bytes, dates instead of ages. */
  readonly human: boolean
  readonly format: ListFormat
}

/** Options of `slipway history`. */
export const history: Declare = (command, act) => {
  command
    .argument('<image>', imageNotations)
    .option('-q, --quiet', 'print only image ids')
    .option('--no-trunc', 'print whole ids and instructions')
    .option('-H, --human', 'sizes and dates for people', true)
    .option('--no-human', 'sizes in bytes, dates as RFC 3339')
    .addOption(formatOption())
    .action(
      act(async (context, image: string, flags: HistoryFlags) => {
        const { historyCommand } = await import('../actions/history-command.ts')
        return historyCommand(image, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway history app', does: 'what each instruction added, the newest first' },
    { command: 'slipway history --no-trunc --human=false app', does: 'the same, nothing shortened or rounded' },
  ])
}
