import { addExamples, type Declare } from '../command-entry.ts'

/** Options of `slipway inspect`. */
export const inspect: Declare = (command, act) => {
  command.argument('<images...>', 'names or ids of images').action(
    act(async (context, names: readonly string[]) => {
      const { inspectCommand } = await import('../actions/inspect-command.ts')
      return inspectCommand(names, context)
    }),
  )
  addExamples(command, [
    { command: 'slipway inspect app', does: 'a JSON list with one object per image' },
    { command: "slipway inspect app | jq '.[0].Config.Env'", does: 'one part of it' },
  ])
}
