/**
 * tree: a layer is a list of entries, and it has an algebra.
 *
 * In: entries of layers. Out: merged trees, look-ups inside a root, layer programs (COPY, ADD, WORKDIR), digests.
 * Always: pure, without a disk; nothing resolves outside its root.
 */
export { type CopyItem, type CopyOptions, copyInto, type Owner } from './copy-into.ts'
export {
  cleanPath,
  comparePaths,
  contentOf,
  type ContentSource,
  type Entry,
  joinPath,
  type LayerTree,
  splitPath,
} from './entry.ts'
export { firstDifference, type TreeDifference } from './first-difference.ts'
export { type Found, lookup } from './lookup.ts'
export { makeDirectory } from './make-directory.ts'
export { applySymbolicMode } from './mode-change.ts'
export { type SelectionAspects, digestSelection } from './selection-digest.ts'
export { isListable, type ListedFile, listSelection, parseListing } from './selection-listing.ts'
export { emptyTree, type GrowingTree, growingTree, type MergedTree, mergeLayers, type Tree } from './tree.ts'
export { type UnpackOptions, unpackInto } from './unpack-into.ts'
