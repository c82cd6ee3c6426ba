import { spanOf } from './mapped-text.ts'
import { type Draft, missingArgument } from './draft.ts'
import { splitAtBlanks } from './split-words.ts'
import { syntaxError } from './syntax-error.ts'
import type { FromInstruction } from './syntax-tree.ts'

/** `FROM [--platform=P] image [AS name]`. */
export function parseFrom(draft: Draft): FromInstruction {
  const [image, as, name, extra] = splitAtBlanks(draft.argument)
  const hint = 'write FROM image or FROM image AS name'
  if (!image) throw missingArgument(draft, 'FROM needs an image', hint)
  const platform = draft.flags.text('platform')
  const base = { ...draft.base, kind: 'from' as const, image, ...(platform && { platform }) }
  if (!as) return base
  if (!name || extra || as.text.toLowerCase() !== 'as') {
    const at = as.text.toLowerCase() === 'as' ? (extra ?? as) : as
    const span = { start: at.span.start, end: spanOf(draft.argument).end }
    throw syntaxError(draft.source, span, { message: 'FROM takes either one or three words', hint })
  }
  if (!/^[a-z][a-z0-9-_.]*$/.test(name.text.toLowerCase())) {
    throw syntaxError(draft.source, name.span, {
      message: `invalid name for build stage: ${JSON.stringify(name.text)}`,
      hint: 'a name starts with a letter and has letters, digits, "-", "_" and "."',
    })
  }
  return { ...base, as, name }
}
