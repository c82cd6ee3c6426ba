import type { Time } from '#tar'
import type { LayerTree } from './entry.ts'
import { draftLayer } from './layer-draft.ts'
import type { Tree } from './tree.ts'

/**
 * WORKDIR as a layer program: the directory and its missing parents, 0755, of the given owner; an existing one is left
 * alone and the layer is empty. Symlinks on the way are followed inside the root.
 */
export function makeDirectory(
  parent: Tree,
  path: string,
  owner: { readonly uid: number; readonly gid: number; readonly mtime: Time },
): LayerTree {
  const draft = draftLayer(parent)
  const made = draft.makeDirectories(draft.find(path).path, { mode: 0o755, ...owner })
  return made ? draft.finish() : []
}
