import type { Command, CommanderError } from 'commander'
import { ExitCode, nearest, UserError } from '#diagnostics'

/** A wrong command line: exit code 2. */
export function usageError(message: string, hint: string): UserError {
  return new UserError(message, { hint, exitCode: ExitCode.usage })
}

/** What commander found wrong, as one of our errors. `command` is the innermost command that was reached. */
export function usageErrorOf(error: CommanderError, command: Command): UserError {
  const message = (error.message.split('\n')[0] ?? '').replace(/^error: /, '').replaceAll("'", '"')
  const see = `see "${pathOf(command)} --help"`
  const near = suggestion(error, message, command)
  return usageError(message.replace(/\.$/, ''), near === undefined ? see : `did you mean ${near}? Else ${see}`)
}

function suggestion(error: CommanderError, message: string, command: Command): string | undefined {
  const word = /"([^"]*)"/.exec(message)?.[1]
  if (word === undefined) return undefined
  if (error.code === 'commander.unknownOption') {
    const flags = command.options.flatMap(option => [option.long, option.short]).filter(flag => flag !== undefined)
    return nearest(word.replace(/=.*/, ''), ['--help', ...flags])
  }
  if (error.code === 'commander.unknownCommand') {
    const names = command.commands.map(child => child.name())
    const near = nearest(word, names)
    return near === undefined ? undefined : `"${pathOf(command)} ${near}"`
  }
  return undefined
}

/** The command as typed: `slipway base build`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
