import { UserError } from '#diagnostics'
import type { Time } from '#tar'
import { type Entry, joinPath, type LayerTree, splitPath } from './entry.ts'
import { draftLayer, type LayerDraft } from './layer-draft.ts'
import { applySymbolicMode } from './mode-change.ts'
import type { Tree } from './tree.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** One source of a COPY, already found: a file, or a directory with everything below it that is to be copied. */
export interface CopyItem {
  /** The last component of the path as written: the name below a destination directory. */
  readonly name: string
  /** With --parents: the directories to keep above `name`, as `a/b`. */
  readonly keep?: string
  /**
   * The object itself with an empty path, then what is below it with paths relative to it, parents first. Hard links
   * refer to paths relative to the item.
   */
  readonly entries: readonly Entry[]
}

export interface CopyOptions {
  /** As in the instruction, absolute; `directory` says that it ended in a slash. */
  readonly destination: { readonly path: string; readonly directory: boolean }
  /** --chown: for everything, created parents included. */
  readonly owner?: Owner
  /** --chmod: for everything; an octal mode also for created parents. */
  readonly mode?:
    | { readonly kind: 'octal'; readonly mode: number }
    | { readonly kind: 'symbolic'; readonly text: string }
  /** Modification time of directories that the copy has to create. */
  readonly created: Time
}

/**
 * COPY as a layer program: places the items on top of a parent tree and returns the layer. Rules of BuildKit's copier:
 * directories merge, an existing destination directory keeps its attributes, merged sub-directories take the source's,
 * symlinks in the destination's path are followed inside the root. Throws a `UserError` where a file would replace a
 * directory or the other way round, and where several files would overwrite each other because the destination is no
 * directory (BuildKit keeps the last one: section 12.8 of the language page).
 */
export function copyInto(parent: Tree, items: readonly CopyItem[], options: CopyOptions): LayerTree {
  const draft = draftLayer(parent)
  refuseOverwriting(draft, items, options)
  for (const item of items) copyItem(draft, item, options)
  return draft.finish()
}

/** A directory among the sources makes the destination one, for what comes after it. */
function refuseOverwriting(draft: LayerDraft, items: readonly CopyItem[], { destination }: CopyOptions): void {
  const [first, ...others] = items
  if (!first || others.length === 0 || destination.directory || first.keep !== undefined) return
  if (first.entries[0]?.type === 'directory') return
  const found = draft.find(destination.path)
  if (found.entry?.type === 'directory') return
  throw new UserError(
    `${items.length} sources cannot become one file: "/${found.path}" is not a directory, and only the last would be left`,
    { hint: `end the destination with a slash to copy them into a directory: ${destination.path}/` },
  )
}

function copyItem(draft: LayerDraft, item: CopyItem, options: CopyOptions): void {
  const [top] = item.entries
  if (!top) return
  const { destination } = options
  const asDirectory = destination.directory || item.keep !== undefined
  const base = draft.find(joinPath(destination.path, item.keep ?? ''))
  if (item.keep !== undefined) requireDirectory(draft, base.path, options)
  if (top.type === 'directory' && item.keep === undefined) {
    placeDirectory(draft, base.path, item, options)
    return
  }
  const intoDirectory = asDirectory || base.entry?.type === 'directory'
  if (intoDirectory) requireDirectory(draft, base.path, options)
  // A link that has the file's name inside the destination directory is replaced, not followed.
  const target = intoDirectory ? joinPath(base.path, item.name) : base.path
  requireDirectory(draft, splitPath(target).parent, options)
  if (top.type === 'directory') placeDirectory(draft, target, item, options)
  else placeFile(draft, target, changed(top, options))
}

function placeDirectory(draft: LayerDraft, target: string, item: CopyItem, options: CopyOptions): void {
  requireDirectory(draft, target, options)
  for (const entry of item.entries) {
    if (entry.path === '') continue
    const path = joinPath(target, entry.path)
    const next = changed(entry, options)
    if (entry.type === 'directory') {
      const before = draft.tree.get(path)
      if (before && before.type !== 'directory') throw notADirectory(path)
      draft.put({ ...next, path })
    } else if (entry.type === 'hardlink') placeFile(draft, path, { ...next, link: joinPath(target, entry.link ?? '') })
    else placeFile(draft, path, next)
  }
}

function placeFile(draft: LayerDraft, path: string, entry: Entry): void {
  if (draft.tree.get(path)?.type === 'directory') {
    throw new UserError(`cannot replace the directory "/${path}" with a file`, {
      hint: 'end the destination with a slash to copy into the directory, or choose another name',
    })
  }
  draft.put({ ...entry, path })
}

function requireDirectory(draft: LayerDraft, path: string, options: CopyOptions): void {
  for (let at = path; at !== ''; at = splitPath(at).parent) {
    const entry = draft.tree.get(at)
    if (entry && entry.type !== 'directory') throw notADirectory(at)
  }
  draft.makeDirectories(path, {
    mode: options.mode?.kind === 'octal' ? options.mode.mode : 0o755,
    ...(options.owner && { owner: options.owner }),
    mtime: options.created,
  })
}

function notADirectory(path: string): UserError {
  return new UserError(`cannot copy a directory to "/${path}": it exists and is not a directory`, {
    hint: 'remove it in an earlier instruction or choose another destination',
  })
}

function changed(entry: Entry, { owner, mode }: CopyOptions): Entry {
  if (!owner && !mode) return entry
  const isDirectory = entry.type === 'directory'
  // A symlink has no mode of its own on Linux.
  const bits =
    !mode || entry.type === 'symlink'
      ? entry.mode
      : mode.kind === 'octal'
        ? mode.mode
        : applySymbolicMode(entry.mode, mode.text, isDirectory)
  return { ...entry, mode: bits, uid: owner?.uid ?? entry.uid, gid: owner?.gid ?? entry.gid }
}
