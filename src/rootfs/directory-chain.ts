import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { diskPath, entryOf } from '#layer'
import { getXattrs } from '#linux'
import { type Entry, joinPath, type Tree } from '#tree'

/**
 * Point look-ups in a chain of unpacked layers (base first) as overlayfs would answer them, without loading anything:
 * a few `lstat` a layer. Extended attributes are not part of the answers.
 */
export function directoryChain(directories: readonly string[]): Pick<Tree, 'get'> {
  const known = new Map<string, Entry | undefined>()
  return {
    get: path => {
      if (path === '')
        return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } }
      if (!known.has(path)) known.set(path, find(directories, path))
      return known.get(path)
    },
  }
}

function find(directories: readonly string[], path: string): Entry | undefined {
  const parts = path.split('/')
  for (let i = directories.length - 1; i >= 0; i--) {
    const answer = findIn(directories[i] ?? '', parts)
    if (answer.kind === 'found') return answer.entry
    if (answer.kind === 'hidden') return undefined
  }
  return undefined
}

type Answer =
  | { readonly kind: 'found'; readonly entry: Entry }
  | { readonly kind: 'hidden' }
  | { readonly kind: 'absent' }

/** Walks down one layer; something on the way that is no directory, or an opaque one, hides the layers below. */
function findIn(directory: string, parts: readonly string[]): Answer {
  let path = ''
  let opaque = false
  for (const [i, part] of parts.entries()) {
    path = joinPath(path, part)
    const at = join(directory, path)
    const stats = lstatSync(diskPath(at), { throwIfNoEntry: false })
    if (!stats) return opaque ? { kind: 'hidden' } : { kind: 'absent' }
    const entry = entryOf(path, at, { stats, options: { overlay: true } })
    if (!entry || entry.type === 'whiteout') return { kind: 'hidden' }
    if (i === parts.length - 1) return { kind: 'found', entry }
    if (entry.type !== 'directory') return { kind: 'hidden' }
    opaque ||= isOpaque(at)
  }
  return { kind: 'absent' }
}

function isOpaque(at: string): boolean {
  const xattrs = getXattrs(diskPath(at))
  const mark = xattrs?.get('trusted.overlay.opaque') ?? xattrs?.get('user.overlay.opaque')
  return mark !== undefined && Buffer.from(mark).toString() === 'y'
}
