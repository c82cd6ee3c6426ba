import { Option } from 'commander'
import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'
import { collectLimit, type Limit } from '../options/limit.ts'
import { countOption } from '../options/count.ts'

export interface AnalyzeFlags extends ImageFlags {
  readonly format: ListFormat
  readonly base?: string
  readonly html?: string
  readonly compare?: string
  readonly failOn?: readonly Limit[]
  /** Rows of each list; 0 for all. */
  readonly top: number
}

/** Options of `slipway analyze`. */
export const analyze: Declare = (command, act) => {
  command
    .argument('<image>', imageNotations)
    .option('--base <image>', 'the image that its FROM named, where nothing else tells')
    .addOption(
      new Option('--fail-on <limit>', 'exit code 1 when METRIC>AMOUNT holds, such as "waste>10MB"').argParser(
        collectLimit,
      ),
    )
    .option('--html <file>', 'write a page to look around in, which works without a server')
    .option('--compare <image>', 'with --html: show the changes from that image, too')
    .addOption(formatOption('table, or json: one object (docs/schemas/analysis.json)'))
    .addOption(countOption('--top <number>', 'rows of each list, 0 for all', 8))
    .action(
      act(async (context, image: string, flags: AnalyzeFlags) => {
        const { analyzeCommand } = await import('../actions/analyze-command.ts')
        return analyzeCommand(image, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway analyze app', does: 'where every byte came from, what is wasted, and what to write instead' },
    { command: 'slipway analyze --fail-on "waste>5%" app', does: 'for continuous integration' },
    { command: 'slipway analyze --html app.html app', does: 'a page with a map of the files' },
    { command: 'slipway analyze --format json oci-archive:app.tar', does: 'an archive, for programs' },
  ])
}
