import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** Turns an implementation into what commander calls; the implementation's number is the exit code. */
export type Act = <A extends readonly unknown[]>(
  run: (context: CliContext, ...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/**
 * Gives a command its arguments, options, examples and action. Loads no implementation: the action imports it, so that
 * `--help` and start-up stay quick.
 */
export type Declare = (command: Command, act: Act) => void

/** A command as the list of all commands knows it. */
export interface CommandEntry {
  readonly name: string
  /** One line for `slipway --help`. */
  readonly summary: string
  readonly load: () => Promise<Declare>
}

/** One line of the examples in `--help`. */
export interface Example {
  readonly command: string
  readonly does: string
}

/** Adds examples to the end of a command's `--help`. */
export function addExamples(command: Command, examples: readonly Example[]): void {
  const lines = examples.flatMap(({ command: line, does }) => [`  # ${does}`, `  ${line}`])
  command.addHelpText('after', ['', 'Examples:', ...lines].join('\n'))
}
