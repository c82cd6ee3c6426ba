import type { Digest } from '#oci'
import type { Entry, Tree } from '#tree'

/** A tree that COPY can take from. */
export interface Selectable extends Tree {
  /** Equal for names of one inode; undefined for an object with one name. */
  inodeOf(path: string): string | undefined
  /** The digest of a file's content where it is known without reading. */
  knownContent(entry: Entry): Digest | undefined
  /** Takes what was learnt by reading; `entry.source` tells which file it was. */
  learnContent(entry: Entry, content: Digest): void
  /** Why a path that is on disk is not in the tree, for error messages. */
  whyMissing?(path: string): { readonly message: string; readonly hint: string } | undefined
}
