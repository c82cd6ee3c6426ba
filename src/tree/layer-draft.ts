import type { Time } from '#tar'
import { comparePaths, type Entry, type LayerTree, splitPath } from './entry.ts'
import { type Found, lookup } from './lookup.ts'
import type { Tree } from './tree.ts'

/** What directories get that a program has to create. */
export interface DirectoryDefaults {
  readonly mode: number
  /** Without: root, and the group that mkdir(2) gives: below a directory with the set-group-id bit that of the directory. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly mtime: Time
}

/**
 * A layer being written on top of a parent tree: look-ups see the parent and what was put so far. The result holds
 * every ancestor of what was put, as it is in the parent: engines that unpack a layer alone (Docker's overlay2) would
 * else create it with other permissions.
 */
export interface LayerDraft {
  readonly tree: Pick<Tree, 'get'>
  find(path: string, final?: 'follow' | 'keep'): Found
  put(entry: Entry): void
  /** Creates the directories that are missing up to and including `path` (resolved); returns whether any was. */
  makeDirectories(path: string, defaults: DirectoryDefaults): boolean
  finish(): LayerTree
}

/** Of a directory: what is made in it gets its group, and directories the bit, too (inode(7)). */
const setGroupId = 0o2000

export function draftLayer(parent: Tree): LayerDraft {
  const out = new Map<string, Entry>()
  const hidden = new Set<string>()
  const linked = new Map<Entry, Entry>()
  const get = (path: string): Entry | undefined => {
    const own = out.get(path)
    if (own) return own
    if (hidden.size > 0) for (let at = path; at !== ''; at = splitPath(at).parent) if (hidden.has(at)) return undefined
    return parent.get(path)
  }
  const find = (path: string, final: 'follow' | 'keep' = 'follow'): Found => lookup({ get }, path, { final })

  const put = (entry: Entry): void => {
    const before = get(entry.path)
    if (before?.type === 'directory' && entry.type !== 'directory') {
      for (const path of out.keys()) if (path.startsWith(`${entry.path}/`)) out.delete(path)
      if (parent.get(entry.path)?.type === 'directory') hidden.add(entry.path)
    }
    const target = entry.type === 'hardlink' ? out.get(entry.link ?? '') : undefined
    if (target) linked.set(entry, target)
    out.set(entry.path, entry)
  }

  const makeDirectories = (path: string, defaults: DirectoryDefaults): boolean => {
    if (path === '' || get(path)?.type === 'directory') return false
    const { parent: above } = splitPath(path)
    makeDirectories(above, defaults)
    const { mode, owner, mtime } = defaults
    const found = get(above)
    const group = found !== undefined && (found.mode & setGroupId) !== 0 ? found.gid : undefined
    const inherited = { uid: 0, gid: group ?? 0 }
    const bits = group === undefined ? mode : mode | setGroupId
    put({ path, type: 'directory', size: 0, mode: bits, ...inherited, ...owner, mtime })
    return true
  }

  return { tree: { get }, find, put, makeDirectories, finish: () => withAncestors(parent, { out, hidden, linked }) }
}

interface Drafted {
  readonly out: ReadonlyMap<string, Entry>
  readonly hidden: ReadonlySet<string>
  /** What a hard link referred to when it was put. */
  readonly linked: ReadonlyMap<Entry, Entry>
}

function withAncestors(parent: Tree, { out, hidden, linked }: Drafted): LayerTree {
  const all = new Map(out)
  let last = ''
  for (const path of out.keys()) {
    const above = splitPath(path).parent
    // Siblings come in a row.
    if (above === last) continue
    last = above
    for (let at = above; at !== '' && !all.has(at); at = splitPath(at).parent) {
      const entry = parent.get(at)
      if (entry) all.set(at, entry)
    }
  }
  const entries = [...all.values()].map(entry => linkOrFile(out, entry, linked.get(entry))).sort(byPathLinksLast)
  for (const path of hidden) {
    if (all.get(path)?.type === 'directory')
      entries.splice(entries.findIndex(entry => entry.path === path) + 1, 0, opaque(path, all.get(path)))
  }
  return entries
}

/** A hard link whose target was replaced meanwhile becomes a file of its own. */
function linkOrFile(out: ReadonlyMap<string, Entry>, entry: Entry, before: Entry | undefined): Entry {
  if (entry.type !== 'hardlink' || entry.source === undefined) return entry
  const target = out.get(entry.link ?? '')
  const isKept = before === undefined || before === target
  const isSame = isKept && target !== undefined && target.type !== 'hardlink' && sameInode(target, entry)
  if (isSame) return entry
  const { link: _, ...rest } = entry
  return { ...rest, type: 'file' }
}

/** Attributes are the inode's, so names of one inode agree in all of them. */
function sameInode(a: Entry, b: Entry): boolean {
  return (
    a.size === b.size &&
    a.mtime.seconds === b.mtime.seconds &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    (a.content === undefined || b.content === undefined || a.content === b.content)
  )
}

/** An archive must hold a file before the links to it. */
function byPathLinksLast(a: Entry, b: Entry): number {
  const links = Number(a.type === 'hardlink') - Number(b.type === 'hardlink')
  return links !== 0 ? links : comparePaths(a.path, b.path)
}

function opaque(path: string, directory: Entry | undefined): Entry {
  return {
    path,
    type: 'opaque',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: directory?.mtime ?? { seconds: 0, nanoseconds: 0 },
  }
}
