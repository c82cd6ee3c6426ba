import { addExamples, type Declare } from '../command-entry.ts'
import { parseDuration, parseSize } from '../options/amount.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'

export interface PruneFlags {
  readonly all?: boolean
  readonly force?: boolean
  /** Bytes. */
  readonly keepStorage?: number
  /** Milliseconds. */
  readonly until?: number
  readonly format: ListFormat
}

/** Options of `slipway prune`. */
export const prune: Declare = (command, act) => {
  command
    .option('-a, --all', 'also the images that have a name: everything')
    .option('--keep-storage <size>', 'keep this much of the build cache, what was used last: 10GB', text =>
      parseSize(text, '--keep-storage'),
    )
    .option('--until <age>', 'only what was not used for this long: 24h', text => parseDuration(text, '--until'))
    .option('-f, --force', 'do not ask')
    .addOption(formatOption('table, or json: one object'))
    .action(
      act(async (context, flags: PruneFlags) => {
        const { pruneCommand } = await import('../actions/prune-command.ts')
        return pruneCommand(flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway prune', does: 'remove images without a name, and the build cache' },
    { command: 'slipway prune --force --keep-storage 10GB', does: 'make the build cache small, for a regular job' },
  ])
}
