import { addExamples, type Declare } from '../command-entry.ts'

/** Options of `slipway tag`. */
export const tag: Declare = (command, act) => {
  command
    .argument('<image>', 'name or id of an image')
    .argument('<name>', 'the new name: NAME[:TAG]')
    .action(
      act(async (context, image: string, name: string) => {
        const { tagCommand } = await import('../actions/tag-command.ts')
        return tagCommand(image, name, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway tag app registry.example/team/app:1', does: 'name it as a registry knows it' },
  ])
}
