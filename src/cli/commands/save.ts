import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'

export interface SaveFlags {
  readonly output?: string
  readonly type: 'docker' | 'oci'
}

/** Options of `slipway save`. */
export const save: Declare = (command, act) => {
  command
    .argument('<images...>', 'names or ids of images')
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .option('--type <type>', 'docker or oci', choice('--type', ['docker', 'oci'] as const), 'docker')
    .action(
      act(async (context, images: readonly string[], flags: SaveFlags) => {
        const { saveCommand } = await import('../actions/save-command.ts')
        return saveCommand(images, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway save app | docker load', does: 'hand an image to a Docker engine' },
    { command: 'slipway save --type oci -o app.tar app', does: 'an OCI layout as a tar archive' },
  ])
}
