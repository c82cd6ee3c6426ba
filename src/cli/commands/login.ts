import { addExamples, type Declare } from '../command-entry.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface LoginFlags extends RegistryFlags {
  readonly username?: string
  readonly passwordStdin?: boolean
}

/** Options of `slipway login`. */
export const login: Declare = (command, act) => {
  command
    .argument('[registry]', 'HOST[:PORT] of the registry', 'docker.io')
    .option('-u, --username <name>', 'who you are there')
    .option('--password-stdin', 'read the password or token from standard input')
    .action(
      act(async (context, registry: string, flags: LoginFlags) => {
        const { loginCommand } = await import('../actions/login-command.ts')
        return loginCommand(registry, flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway login registry.example', does: 'ask for name and password' },
    { command: 'slipway login -u ci --password-stdin registry.example < token', does: 'in a script' },
  ])
}
