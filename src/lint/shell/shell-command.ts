import type { Span } from '#diagnostics'

/** A word of a shell text. */
export interface ShellWord {
  /** Without quotes and backslashes; `$…` and `$(…)` stay as written. */
  readonly text: string
  readonly span: Span
  /** A part of it stands in quotes. */
  readonly quoted: boolean
  /** Something in it is only known when it runs: a variable, a command, a pattern. */
  readonly variable: boolean
}

/** A simple command: what a shell runs as one program. */
export interface ShellCommand {
  /** Of the program, without its directory and without what stands before it (`sudo`, `env`, `exec`, `VAR=…`). */
  readonly name: string
  /** The program's word. */
  readonly program: ShellWord
  /** The words behind the program, redirections left out. */
  readonly args: readonly ShellWord[]
  /** `VAR=value` and wrappers such as `sudo` before the program. */
  readonly before: readonly ShellWord[]
  /** Targets of redirections: `> file`. */
  readonly redirections: readonly ShellWord[]
  /** From the first to the last word. */
  readonly span: Span
  /** What stands between the command before it and this one; empty for the first one. */
  readonly joint: '' | '&&' | '||' | ';' | '|' | '&'
  /** How many parentheses, `$( )` or braces it stands in. */
  readonly depth: number
  /** Number of the list that it belongs to, so that commands of `$( )` are not taken for neighbours. */
  readonly list: number
}

/** Whether a command has a flag: `--name`, `--name=value`, or a letter in a group of short flags. */
export function hasFlag({ args }: ShellCommand, ...names: readonly string[]): boolean {
  return args.some(({ text }) =>
    names.some(name =>
      name.startsWith('--')
        ? text === name || text.startsWith(`${name}=`)
        : text === name || (/^-[A-Za-z]+$/.test(text) && name.length === 2 && text.includes(name.slice(1))),
    ),
  )
}

/** The words that are no flags; those of `valued` take the next word with them. */
export function operands({ args }: ShellCommand, valued: readonly string[] = []): readonly ShellWord[] {
  const out: ShellWord[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i]
    if (!word) continue
    if (valued.includes(word.text)) i++
    else if (!word.text.startsWith('-')) out.push(word)
  }
  return out
}
