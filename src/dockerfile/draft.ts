import type { Source } from '#diagnostics'
import type { FlagValues } from './flag-values.ts'
import type { FoundHeredoc } from './find-heredocs.ts'
import { parseJsonForm } from './json-form.ts'
import type { LogicalLine } from './logical-lines.ts'
import { type MappedText, spanOf } from './mapped-text.ts'
import { splitAtBlanks, toWord } from './split-words.ts'
import { syntaxError } from './syntax-error.ts'
import type { Command, CommandInstruction, EscapeCharacter, Heredoc, Word } from './syntax-tree.ts'

/** An instruction line on its way to a node. */
export interface Draft {
  readonly source: Source
  readonly escape: EscapeCharacter
  readonly line: LogicalLine
  /** In upper case. */
  readonly name: string
  /** What every node has. */
  readonly base: Omit<CommandInstruction, 'kind' | 'command'>
  readonly flags: FlagValues
  /** What follows the flags. */
  readonly argument: MappedText
  readonly heredocs: readonly (Heredoc & { readonly found: FoundHeredoc })[]
}

/** Error for an instruction without what it needs. */
export function missingArgument(draft: Draft, message: string, hint: string): Error {
  return syntaxError(draft.source, draft.base.keyword.span, { message, hint })
}

/** JSON array or shell text; both may be empty. */
export function parseCommand(draft: Draft, argument = draft.argument): Command {
  const form = parseJsonForm(argument)
  if (form.kind === 'array') return { form: 'exec', args: form.words, span: spanOf(argument) }
  if (form.kind === 'not-strings') throw notStrings(draft, argument)
  return { form: 'shell', text: toWord(argument), span: spanOf(argument) }
}

/** A JSON array with something else than strings. */
export function notStrings(draft: Draft, argument: MappedText): Error {
  return syntaxError(draft.source, spanOf(argument), {
    message: 'a JSON array here must hold strings only',
    hint: `write ${draft.name} ["word", "word"], with numbers in quotes too`,
  })
}

/** JSON array or blank-separated words. */
export function parseWordList(draft: Draft): readonly Word[] {
  const form = parseJsonForm(draft.argument)
  if (form.kind === 'not-strings') throw notStrings(draft, draft.argument)
  return form.kind === 'array' ? form.words : splitAtBlanks(draft.argument)
}
