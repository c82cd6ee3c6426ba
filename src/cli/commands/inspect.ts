import { addExamples, type Declare } from '../command-entry.ts'
import { addImageOptions, type ImageFlags, imageNotations } from '../options/image-options.ts'

/** Options of `slipway inspect`. */
export const inspect: Declare = (command, act) => {
  command.argument('<images...>', imageNotations).action(
    act(async (context, names: readonly string[], flags: ImageFlags) => {
      const { inspectCommand } = await import('../actions/inspect-command.ts')
      return inspectCommand(names, flags, context)
    }),
  )
  addImageOptions(command)
  addExamples(command, [
    { command: 'slipway inspect app', does: 'a JSON list with one object per image' },
    { command: 'slipway inspect docker://registry.example/app:1', does: 'one of a registry, without its layers' },
    { command: "slipway inspect app | jq '.[0].Config.Env'", does: 'one part of it' },
  ])
}
