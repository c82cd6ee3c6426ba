import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

export interface ScanFlags extends ImageFlags {
  readonly format: 'text' | 'json' | 'sarif'
  readonly output?: string
  readonly failOn: 'high' | 'medium' | 'low' | 'never'
  readonly baseline?: string
  readonly writeBaseline?: string
  readonly all?: boolean
}

/** Options of `slipway scan`. */
export const scan: Declare = (command, act) => {
  command
    .argument('<target>', `a directory, a file, or an image: ${imageNotations}`)
    .option('--format <format>', 'text, json or sarif', choice('--format', ['text', 'json', 'sarif']), 'text' as const)
    .option('-o, --output <file>', 'write the report to this file instead of standard output')
    .option(
      '--fail-on <severity>',
      'exit with 1 from this severity on: low, medium, high, or never',
      choice('--fail-on', ['low', 'medium', 'high', 'never']),
      'medium' as const,
    )
    .option('--baseline <file>', 'let through what this file names')
    .option('--write-baseline <file>', 'write a baseline that lets through all that is found')
    .option('--all', 'look into the tests and the documentation of installed packages, too')
    .action(
      act(async (context, target: string, flags: ScanFlags) => {
        const { scanCommand } = await import('../actions/scan-command.ts')
        return scanCommand(target, flags, context)
      }),
    )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway scan app', does: 'every layer, the history and the configuration of an image' },
    { command: 'slipway scan docker://registry.example/app:1', does: 'of a registry, without storing it' },
    { command: 'slipway scan .', does: 'the files of a directory' },
    { command: 'slipway scan app --format sarif -o scan.sarif', does: 'for code scanning' },
    {
      command: 'slipway scan app --write-baseline known.json',
      does: 'accept what is there; later: --baseline known.json',
    },
  ])
}
