import { UserError } from '#diagnostics'
import { scanDirectory } from '#layer'
import { type Entry, lookup, mergeLayers } from '#tree'
import type { ResolvedGit } from './git-repository.ts'
import type { GitSource } from './git-url.ts'
import { type Selectable, selectableTree, subtree } from './selectable.ts'

/**
 * A checked-out repository as a tree: files 0644 or 0755 of root, as git keeps no more than that (12.21), without any
 * `.git` unless it is to be kept. Throws a `UserError` when the wanted directory is not in it.
 */
export function gitTree(directory: string, source: GitSource, resolved: ResolvedGit): Selectable {
  const seconds = source.mtime === 'commit' ? resolved.time : Math.floor(Date.now() / 1000)
  const entries = scanDirectory(directory, {
    overlay: false,
    wanted: path => source.keepGitDir || !/(^|\/)\.git$/.test(path),
  })
  const root: Entry = {
    path: '',
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds, nanoseconds: 0 },
  }
  const tree = selectableTree(mergeLayers([[root, ...entries.map(entry => ({ ...entry, ...plain(entry, seconds) }))]]))
  if (source.subdir === undefined) return tree
  const found = lookup(tree, source.subdir)
  if (found.entry?.type === 'directory') return subtree(tree, found.path)
  throw new UserError(`${source.remote} has no directory ${JSON.stringify(source.subdir)}`, {
    hint: found.entry
      ? 'it is a file; name the directory it is in'
      : `it has: ${tree.list('').slice(0, 12).join(', ')}`,
  })
}

/** What git keeps of a file's attributes. */
function plain(entry: Entry, seconds: number): Pick<Entry, 'mode' | 'uid' | 'gid' | 'mtime'> {
  const mode =
    entry.type === 'symlink' ? 0o777 : entry.type === 'directory' || (entry.mode & 0o100) !== 0 ? 0o755 : 0o644
  return { mode, uid: 0, gid: 0, mtime: { seconds, nanoseconds: 0 } }
}

/** Identity of what is taken from a repository, for cache keys: nothing in it changes while this stays. */
export function gitIdentity(source: GitSource, { commit }: ResolvedGit): Readonly<Record<string, unknown>> {
  return {
    remote: source.remote,
    commit,
    subdir: source.subdir ?? null,
    keepGitDir: source.keepGitDir,
    submodules: source.submodules,
    mtime: source.mtime,
  }
}
