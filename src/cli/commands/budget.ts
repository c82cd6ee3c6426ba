import { Option } from 'commander'
import type { BudgetLimit } from '#analyze'
import { addExamples, type Declare } from '../command-entry.ts'
import { collectBudgetLimit } from '../options/budget-limit.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface BudgetFlags extends ImageFlags {
  readonly format: ListFormat
  readonly max?: readonly BudgetLimit[]
  readonly against?: string
  readonly save?: string
  readonly markdown?: string
}

/** Options of `slipway budget`. */
export const budget: Declare = (command, act) => {
  command
    .argument('<image>', imageNotations)
    .addOption(
      new Option('--max <limit>', 'METRIC=AMOUNT; with + in front of the amount, growth over --against').argParser(
        collectBudgetLimit,
      ),
    )
    .option('--against <baseline>', 'a file that --save wrote, or an image')
    .option('--save <file>', 'write the figures of this image, for later ones to be held against')
    .option('--markdown <file>', 'write a report for a pull request; - for standard output')
    .addOption(formatOption('table, or json: one object (docs/schemas/budget.json)'))
    .action(
      act(async (context, image: string, flags: BudgetFlags) => {
        const { budgetCommand } = await import('../actions/budget-command.ts')
        return budgetCommand(image, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    {
      command: 'slipway budget app --max size=200MB --max waste=5MB --max layer=80MB',
      does: 'exit code 1 when it is more',
    },
    { command: 'slipway budget app --save budget.json', does: 'keep the figures' },
    {
      command: 'slipway budget app --against budget.json --max size=+2% --max /app=+1MB --markdown report.md',
      does: 'in a pull request',
    },
  ])
}
