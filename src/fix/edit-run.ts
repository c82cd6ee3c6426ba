import type { RunView, ShellCommand } from '#lint'
import { type Change, wholeLines } from './proposal.ts'

/** Whether commands of a RUN are only joined with `&&`, so that one can be taken out. */
export function isChain({ commands, instruction }: RunView): boolean {
  return (
    instruction.command.form === 'shell' &&
    instruction.heredocs.length === 0 &&
    commands.every(({ joint, depth }) => depth === 0 && (joint === '' || joint === '&&'))
  )
}

/** Takes a command out of a chain; the whole instruction where it is the only one. */
export function withoutCommand(text: string, run: RunView, command: ShellCommand): Change {
  const { commands, instruction } = run
  const at = commands.findIndex(({ span }) => span.start === command.span.start)
  const [before, after] = [commands[at - 1], commands[at + 1]]
  if (before) return { start: before.span.end, end: command.span.end, text: '' }
  if (after) return { start: command.span.start, end: after.span.start, text: '' }
  return wholeLines(text, instruction.span)
}

/** Puts a flag behind the keyword of an instruction. */
export function withFlag(
  instruction: { readonly keyword: { readonly span: { readonly end: number } } },
  flag: string,
): Change {
  const { end } = instruction.keyword.span
  return { start: end, end, text: ` ${flag}` }
}
