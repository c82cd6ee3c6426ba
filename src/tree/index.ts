/**
 * tree: a layer is a list of entries, and it has an algebra.
 *
 * In: entries of layers. Out: look-ups inside a root, merged trees, differences, selections, digests.
 * Always: pure, without a disk; nothing resolves outside its root.
 */
export type { Entry, LayerTree } from './entry.ts'
