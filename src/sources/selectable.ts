import type { Digest } from '#oci'
import { type Entry, joinPath, type MergedTree, type Tree } from '#tree'

/** A tree that COPY can take from. */
export interface Selectable extends Tree {
  /** Identity of the whole by content, where it has one: of an archive, a commit. */
  readonly identity?: string
  /** Equal for names of one inode; undefined for an object with one name. */
  inodeOf(path: string): string | undefined
  /** The digest of a file's content where it is known without reading. */
  knownContent(entry: Entry): Digest | undefined
  /** Takes what was learnt by reading; `entry.source` tells which file it was. */
  learnContent(entry: Entry, content: Digest): void
  /** Why a path that is on disk is not in the tree, for error messages. */
  whyMissing?(path: string): { readonly message: string; readonly hint: string } | undefined
}

/** A tree of layers to take from. */
export function selectableTree(tree: MergedTree, identity?: string): Selectable {
  return {
    ...(identity !== undefined && { identity }),
    get: path => tree.get(path),
    list: path => tree.list(path),
    inodeOf: path => tree.inodeOf(path),
    knownContent: entry => entry.content,
    learnContent: () => undefined,
  }
}

/** What is below a directory of the tree, as a tree of its own. */
export function subtree(tree: Selectable, directory: string): Selectable {
  const below = (path: string): string => joinPath(directory, path)
  return {
    get: path => {
      const entry = tree.get(below(path))
      return entry && { ...entry, path }
    },
    list: path => tree.list(below(path)),
    inodeOf: path => tree.inodeOf(below(path)),
    knownContent: entry => tree.knownContent({ ...entry, path: below(entry.path) }),
    learnContent: (entry, content) => tree.learnContent(entry, content),
  }
}
