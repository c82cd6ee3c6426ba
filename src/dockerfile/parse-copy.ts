import { parseJsonForm } from './json-form.ts'
import { sliceText, trimText } from './mapped-text.ts'
import { type Draft, missingArgument, notStrings } from './draft.ts'
import { splitAtBlanks } from './split-words.ts'
import { syntaxError } from './syntax-error.ts'
import type { CopyInstruction, Heredoc, Word } from './syntax-tree.ts'

type Item = { readonly word: Word } | { readonly heredoc: Heredoc }

/** `COPY [flags] source… destination`, `ADD` likewise; words or a JSON array. */
export function parseCopy(draft: Draft, kind: CopyInstruction['kind']): CopyInstruction {
  const items = parseItems(draft)
  const last = items.at(-1)
  if (items.length < 2 || !last) {
    throw missingArgument(
      draft,
      `${draft.name} needs at least one source and a destination`,
      `write ${draft.name} source destination`,
    )
  }
  if ('heredoc' in last) {
    throw syntaxError(draft.source, last.heredoc.span, {
      message: `${draft.name} cannot have a heredoc as its destination`,
      hint: `write ${draft.name} <<${last.heredoc.name} /path`,
    })
  }
  const sources = items.slice(0, -1)
  const paths = sources.flatMap(item => ('word' in item ? [{ kind: 'path' as const, path: item.word }] : []))
  const heredocs = sources.flatMap(item =>
    'heredoc' in item ? [{ kind: 'heredoc' as const, heredoc: item.heredoc }] : [],
  )
  return { ...draft.base, kind, sources: [...paths, ...heredocs], destination: last.word, ...flagValues(draft) }
}

function flagValues({ flags }: Draft): Omit<CopyInstruction, keyof Draft['base'] | 'kind' | 'sources' | 'destination'> {
  const from = flags.text('from')
  const chown = flags.text('chown')
  const chmod = flags.text('chmod')
  const checksum = flags.text('checksum')
  const unpack = flags.boolean('unpack')
  return {
    ...(from && { from }),
    ...(chown && { chown }),
    ...(chmod && { chmod }),
    ...(checksum && { checksum }),
    ...(unpack !== undefined && { unpack }),
    link: flags.boolean('link') ?? false,
    parents: flags.boolean('parents') ?? false,
    keepGitDir: flags.boolean('keep-git-dir') ?? false,
    exclude: flags.list('exclude'),
  }
}

function parseItems(draft: Draft): readonly Item[] {
  const form = parseJsonForm(draft.argument)
  if (form.kind === 'not-strings') throw notStrings(draft, draft.argument)
  if (form.kind === 'array') return form.words.map(word => ({ word }))
  return draft.heredocs.length === 0
    ? splitAtBlanks(draft.argument).map(word => ({ word }))
    : splitAroundHeredocs(draft)
}

/** A heredoc word may hold blanks (`<< EOF`, `<<"a b"`): cut the words between heredocs only. */
function splitAroundHeredocs({ line, argument, heredocs }: Draft): readonly Item[] {
  const whole = line.text
  const items: Item[] = []
  // The argument is the end of the line without outer blanks.
  const trimmed = trimText(whole).text
  let at = whole.text.lastIndexOf(trimmed) + trimmed.length - argument.text.length
  for (const { found, ...heredoc } of heredocs) {
    if (found.start < at) continue
    items.push(...splitAtBlanks(sliceText(whole, at, found.start)).map(word => ({ word })))
    items.push({ heredoc })
    at = found.end
  }
  items.push(...splitAtBlanks(sliceText(whole, at)).map(word => ({ word })))
  return items
}
