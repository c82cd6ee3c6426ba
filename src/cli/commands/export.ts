import { addExamples, type Declare } from '../command-entry.ts'

export interface ExportFlags {
  readonly output?: string
}

/** Options of `slipway export`. */
export const exportImage: Declare = (command, act) => {
  command
    .argument('<image>', 'name or id of an image')
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .action(
      act(async (context, image: string, flags: ExportFlags) => {
        const { exportCommand } = await import('../actions/export-command.ts')
        return exportCommand(image, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway export app -o app.tar', does: 'the files of the image, all layers merged' },
    { command: 'slipway export app | tar -t', does: 'list them' },
  ])
}
