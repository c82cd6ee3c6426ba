import { parsePlatform } from '#oci'
import { addExamples, type Declare } from '../command-entry.ts'
import type { PlaceFlags } from '../images/place-details.ts'
import { addRegistryOptions } from '../options/registry-options.ts'

/** Options of `slipway inspect`. */
export const inspect: Declare = (command, act) => {
  command
    .argument(
      '<images...>',
      'names or ids of images, docker://NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE',
    )
    .option('--platform <os/arch>', 'of images elsewhere: which one of several', parsePlatform)
    .action(
      act(async (context, names: readonly string[], flags: PlaceFlags) => {
        const { inspectCommand } = await import('../actions/inspect-command.ts')
        return inspectCommand(names, flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway inspect app', does: 'a JSON list with one object per image' },
    { command: 'slipway inspect docker://registry.example/app:1', does: 'one of a registry, without its layers' },
    { command: "slipway inspect app | jq '.[0].Config.Env'", does: 'one part of it' },
  ])
}
