import { addExamples, type Declare } from '../command-entry.ts'

export interface RmiFlags {
  readonly force?: boolean
}

/** Options of `slipway rmi`. */
export const rmi: Declare = (command, act) => {
  command
    .argument('<images...>', 'names or ids of images')
    .option('-f, --force', 'also remove an image by its id when it has several names')
    .action(
      act(async (context, images: readonly string[], flags: RmiFlags) => {
        const { rmiCommand } = await import('../actions/rmi-command.ts')
        return rmiCommand(images, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway rmi app:1', does: 'remove a name, and the image if that was its last one' },
    { command: 'slipway prune', does: 'then free the space of what nothing uses any more' },
  ])
}
