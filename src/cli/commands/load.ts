import { addExamples, type Declare } from '../command-entry.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'

export interface LoadFlags {
  readonly input?: string
  readonly quiet?: boolean
  readonly progress: ProgressMode
}

/** Options of `slipway load`. */
export const load: Declare = (command, act) => {
  command
    .option('-i, --input <file>', 'read this file or OCI layout directory instead of standard input')
    .addOption(progressOption())
    .option('-q, --quiet', 'show no progress')
    .action(
      act(async (context, flags: LoadFlags) => {
        const { loadCommand } = await import('../actions/load-command.ts')
        return loadCommand(flags, context)
      }),
    )
  addExamples(command, [
    { command: 'docker save debian:bookworm | slipway load', does: 'take an image from a Docker engine' },
    { command: 'slipway load -i image.tar', does: 'take images from a Docker or OCI archive' },
  ])
}
