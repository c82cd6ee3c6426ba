import { nearest, type Source, UserError } from '#diagnostics'
import { readSmallContent } from '#layer'
import { nameOfUrl, openRemoteContext, openStreamContext, type RemoteContext, type Selectable } from '#sources'
import { lookup } from '#tree'
import type { CliContext } from '../context.ts'
import { openInput } from '../streams/open-input.ts'
import { usageError } from '../usage-error.ts'
import type { Elsewhere } from './open-elsewhere.ts'

/** A context from an address or standard input. */
export interface RemoteInput {
  /** An address, or `-`. */
  readonly path: string
  /** `--file` as given: a path inside the context. */
  readonly file?: string
  /** Keep `.git` of a repository. */
  readonly keepGitDir?: boolean
}

/** What was read: a Dockerfile, and the files beside it where there are any. */
export interface ReadRemote {
  readonly source?: Source
  readonly files?: Selectable
}

/** A longer one is no Dockerfile (bytes). */
const longest = 16 << 20

/**
 * Reads a context that is no directory (section 14.1 of the language page): an archive or a Dockerfile on standard input,
 * an archive or a Dockerfile at a URL, a git repository. With `--file -` the Dockerfile is left to the caller. Throws a
 * `UserError`.
 */
export async function readRemoteContext(
  { path, file, keepGitDir = false }: RemoteInput,
  elsewhere: Elsewhere,
  context: CliContext,
): Promise<ReadRemote> {
  const opened = await open({ path, keepGitDir }, elsewhere, context)
  const shown = path === '-' ? 'standard input' : path
  if (opened.kind === 'text') {
    if (file !== undefined && !(path === '-' && file === '-')) {
      throw new UserError(`${shown} is a Dockerfile, and --file names another one`, {
        hint: 'leave --file out, or give an archive that has the file',
      })
    }
    return { source: { name: path === '-' ? '<stdin>' : nameOfUrl(path), text: opened.text } }
  }
  if (file !== '-') return { source: dockerfileIn(opened.tree, file, shown), files: opened.tree }
  if (path !== '-') return { files: opened.tree }
  throw usageError('both the context and the Dockerfile would come from standard input', 'name the file in the archive')
}

async function open(
  { path, keepGitDir }: Required<Omit<RemoteInput, 'file'>>,
  elsewhere: Elsewhere,
  context: CliContext,
): Promise<RemoteContext> {
  if (path !== '-') return openRemoteContext(elsewhere, path, { keepGitDir })
  const { bytes } = await openInput('-', context)
  return openStreamContext(elsewhere.store, bytes, 'standard input')
}

function dockerfileIn(tree: Selectable, file: string | undefined, shown: string): Source {
  const names = file === undefined ? ['Dockerfile', 'dockerfile'] : [file]
  for (const name of names) {
    const { entry } = lookup(tree, name)
    if (entry?.type === 'file') return { name, text: readSmallContent(entry, longest).toString('utf8') }
  }
  const near = nearest(names[0] ?? '', tree.list(''))
  throw new UserError(`there is no ${names[0]} in the context from ${shown}`, {
    hint:
      near === undefined
        ? `it has: ${tree.list('').slice(0, 12).join(', ') || 'nothing'}; name a file with --file (-f)`
        : `did you mean --file ${near}?`,
  })
}
