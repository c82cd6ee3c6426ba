import { addExamples, type Declare } from '../command-entry.ts'

/** Options of `slipway logout`. */
export const logout: Declare = (command, act) => {
  command.argument('[registry]', 'HOST[:PORT] of the registry', 'docker.io').action(
    act(async (context, registry: string) => {
      const { logoutCommand } = await import('../actions/login-command.ts')
      return logoutCommand(registry, context)
    }),
  )
  addExamples(command, [{ command: 'slipway logout registry.example', does: 'forget name and password' }])
}
