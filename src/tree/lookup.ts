import { UserError } from '#diagnostics'
import { cleanPath, type Entry, joinPath, splitPath } from './entry.ts'
import type { Tree } from './tree.ts'

/** Where a path leads once all symlinks inside the root are followed. */
export interface Found {
  /** The path without symlinks; what is missing is appended as written. */
  readonly path: string
  /** Undefined where nothing is there (yet). */
  readonly entry: Entry | undefined
}

const maxLinks = 255

/**
 * Resolves a path as a process chrooted into the tree would (openat2's RESOLVE_IN_ROOT): absolute targets start at the
 * root again, `..` stops there. With `final: 'keep'` a symlink as the last component is not followed. A path below
 * something that is no directory is returned as missing. Throws a `UserError` for a loop of symlinks.
 */
export function lookup(
  tree: Pick<Tree, 'get'>,
  path: string,
  options: { readonly final: 'follow' | 'keep' } = { final: 'follow' },
): Found {
  let links = 0
  const todo = path.split('/').reverse()
  let at = ''
  while (todo.length > 0) {
    const part = todo.pop() ?? ''
    if (part === '' || part === '.') continue
    if (part === '..') {
      at = splitPath(at).parent
      continue
    }
    const next = joinPath(at, part)
    const entry = tree.get(next)
    const isLast = todo.every(rest => rest === '' || rest === '.')
    if (entry?.type === 'symlink' && !(isLast && options.final === 'keep')) {
      if (++links > maxLinks) {
        throw new UserError(`too many levels of symbolic links at "/${path}"`, {
          hint: 'the link leads back to itself: mend it, or remove it',
        })
      }
      const target = entry.link ?? ''
      if (target.startsWith('/')) at = ''
      todo.push(...target.split('/').reverse())
      continue
    }
    at = next
  }
  at = cleanPath(at)
  return { path: at, entry: tree.get(at) }
}
