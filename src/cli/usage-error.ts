import type { Command, CommanderError } from 'commander'
import { ExitCode, UserError } from '#diagnostics'

/** A wrong command line: exit code 2. */
export function usageError(message: string, hint: string): UserError {
  return new UserError(message, { hint, exitCode: ExitCode.usage })
}

/** What commander found wrong, as one of our errors. `command` is the innermost command that was reached. */
export function usageErrorOf(error: CommanderError, command: Command): UserError {
  const [first = '', ...rest] = error.message.split('\n')
  const message = first
    .replace(/^error: /, '')
    .replaceAll("'", '"')
    .replace(/\.$/, '')
  const see = `see "${pathOf(command)} --help"`
  const near = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join('\n'))?.[1]
  if (near === undefined) return usageError(message, see)
  const guess = error.code === 'commander.unknownCommand' ? `"${pathOf(command)} ${near}"` : near
  return usageError(message, `did you mean ${guess}? Else ${see}`)
}

/** The command as typed: `slipway base build`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
