import { addExamples, type Declare } from '../command-entry.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

/** Options of `slipway tags`. */
export const tags: Declare = (command, act) => {
  command.argument('<repository>', 'a repository of a registry, such as registry.example/team/app').action(
    act(async (context, repository: string, flags: RegistryFlags) => {
      const { tagsCommand } = await import('../actions/tags-command.ts')
      return tagsCommand(repository, flags, context)
    }),
  )
  addRegistryOptions(command)
  addExamples(command, [{ command: 'slipway tags registry.example/team/app', does: 'one tag per line' }])
}
