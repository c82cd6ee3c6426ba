import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'

export interface DfFlags {
  readonly format: ListFormat
}

/** Options of `slipway df`. */
export const df: Declare = (command, act) => {
  command.addOption(formatOption()).action(
    act(async (context, flags: DfFlags) => {
      const { dfCommand } = await import('../actions/df-command.ts')
      return dfCommand(flags, context)
    }),
  )
  addExamples(command, [{ command: 'slipway df', does: 'space of images and cache, and how much "prune" would free' }])
}
