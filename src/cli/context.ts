import type { Interrupts } from './interrupts.ts'

/** What a command sees of the outside world: the only way from a command to terminal, environment and signals. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The whole command line of this process, to run it again: program, script, arguments. */
  readonly commandLine: readonly string[]
  /** Effective user id. */
  readonly userId: number
  /** Absolute; relative paths on the command line start here. */
  readonly directory: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Whether to colour each stream. */
  readonly color: { readonly stdout: boolean; readonly stderr: boolean }
  readonly interrupts: Interrupts
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Not root, not even inside a user namespace. */
export function isOrdinaryUser({ userId }: Pick<CliContext, 'userId'>): boolean {
  return userId !== 0
}
