import { Command, CommanderError } from 'commander'
import { plainBooleanFlags } from './boolean-flags.ts'
import { type Act, addExamples, type CommandEntry } from './command-entry.ts'
import { commandTable } from './command-table.ts'
import type { CliContext } from './context.ts'
import { usageErrorOf } from './usage-error.ts'

/** Runs a command line (without node and script) and gives the exit code. Throws what went wrong. */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<number> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
    const { version } = await import('./version.ts')
    context.stdout.write(`slipway ${await version()}\n`)
    return 0
  }
  let code = 0
  let reached: Command | undefined
  const act: Act =
    run =>
    async (...parameters) => {
      code = await run(context, ...parameters)
    }
  const program = newProgram(context)
  const wanted = args[0] === 'help' ? args[1] : args.find(arg => !arg.startsWith('-'))
  for (const entry of commandTable) await addCommand(program, entry, act, entry.name === wanted)
  for (const command of descendants(program)) {
    command.exitOverride(error => {
      reached ??= command
      throw error
    })
  }
  try {
    await program.parseAsync(normalArguments(program, args), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') return 2
    throw usageErrorOf(error, reached ?? program)
  }
  return code
}

function newProgram(context: CliContext): Command {
  const program = new Command('slipway')
    .description('Builds small container images from Dockerfiles: multi-stage, without a daemon.')
    .usage('COMMAND [OPTIONS]')
    .option('-v, --version', 'show the version')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: text => context.stdout.write(text),
      writeErr: text => context.stderr.write(text),
      // Errors are rendered at the top like all others.
      outputError: () => {},
      getOutHasColors: () => context.color.stdout,
      getErrHasColors: () => context.color.stderr,
    })
  addExamples(program, [
    { command: 'slipway base build examples/hello/base.yaml -t base', does: 'a base image from Debian packages' },
    { command: 'slipway build -t hello examples/hello', does: 'an image from a Dockerfile' },
    { command: 'slipway run --rm hello', does: 'run it' },
  ])
  return program
}

async function addCommand(program: Command, entry: CommandEntry, act: Act, load: boolean): Promise<void> {
  const command = program.command(entry.name).summary(entry.summary)
  command.description(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`)
  if (load) (await entry.load())(command, act)
}

function descendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(descendants)]
}

function normalArguments(program: Command, args: readonly string[]): string[] {
  let command = program
  let depth = 0
  for (; depth < args.length; depth++) {
    const child = command.commands.find(each => each.name() === args[depth])
    if (!child) break
    command = child
  }
  const passThrough = command.name() === 'run'
  return [...args.slice(0, depth), ...plainBooleanFlags(command, args.slice(depth), { passThrough })]
}
