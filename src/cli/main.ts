import { inspect } from 'node:util'
import { ExitCode, renderError, UserError } from '#diagnostics'
import { wantsColor } from './color.ts'
import type { CliContext } from './context.ts'
import { Interrupted, type Interrupts, watchInterrupts } from './interrupts.ts'
import { runCommandLine } from './program.ts'
import { Reported } from './reported.ts'
import { userErrorOf } from './system-error.ts'

/**
 * The whole program: runs a command line (without node and script) and ends the process. The one place that turns
 * errors into text and exit codes.
 */
export async function main(args: readonly string[]): Promise<void> {
  process.removeAllListeners('warning')
  process.on('warning', showWarning)
  using interrupts = watchInterrupts(process, code => process.exit(code))
  const context = processContext(interrupts)
  process.on('uncaughtException', error => process.exit(reportError(error, context)))
  guardOutput(interrupts)
  process.exit(await run(args, context))
}

/** Runs a command line and gives the exit code; errors are reported. */
async function run(args: readonly string[], context: CliContext): Promise<number> {
  let code: number
  try {
    code = await runCommandLine(args, context)
    await flushed(context.stdout)
  } catch (error) {
    const { signal } = context.interrupts
    // What fails after a signal fails because of it.
    code = reportError(signal.aborted ? signal.reason : await withoutSecrets(error), context)
  }
  const reason: unknown = context.interrupts.signal.reason
  return reason instanceof Interrupted ? reason.exitCode : code
}

/** An error whose excerpt shows no secret; the rules for secrets are loaded where there is one. */
async function withoutSecrets(error: unknown): Promise<unknown> {
  if (!(error instanceof UserError) || !error.at) return error
  const { hiddenPlace } = await import('./scan/hide-secrets.ts')
  const { message, hint, details, exitCode } = error
  return new UserError(message, { hint, details, exitCode, at: hiddenPlace(error.at) })
}

function processContext(interrupts: Interrupts): CliContext {
  const { argv, env, execArgv, execPath, stdout, stderr } = process
  return {
    environment: env,
    commandLine: [execPath, ...execArgv, ...argv.slice(1)],
    userId: process.geteuid?.() ?? 0,
    directory: process.cwd(),
    // Few commands read it, and Node makes the stream when it is asked for.
    get stdin() {
      return process.stdin
    },
    stdout,
    stderr,
    color: { stdout: wantsColor(stdout, env), stderr: wantsColor(stderr, env) },
    interrupts,
    now: Date.now,
  }
}

/** Says what went wrong and gives the exit code. */
function reportError(error: unknown, context: CliContext): number {
  if (error instanceof Reported) return error.exitCode
  if (error instanceof Interrupted) {
    if (error.message !== '') context.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  const userError = userErrorOf(error)
  if (!userError) {
    context.stderr.write(bugReport(error))
    return ExitCode.failure
  }
  context.stderr.write(renderError(userError, { color: context.color.stderr }))
  return userError.exitCode
}

function bugReport(error: unknown): string {
  return `internal error: this is a bug in slipway, please report it with these lines\n${inspect(error)}\n`
}

/** A reader that went away (`slipway images | head -1`) ends the work without a word; stderr may be lost. */
function guardOutput(interrupts: Interrupts): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    interrupts.stop(error.code === 'EPIPE' ? new Interrupted('', ExitCode.ok) : error),
  )
  process.stderr.on('error', () => {})
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write('', error => (error ? reject(error) : resolve()))
  })
}

/** Node's own warnings, except that something it offers is experimental: not for the user. */
function showWarning(warning: Error): void {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`)
}
