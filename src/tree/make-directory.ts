import { UserError } from '#diagnostics'
import { type LayerTree, splitPath } from './entry.ts'
import { type DirectoryDefaults, draftLayer } from './layer-draft.ts'
import type { Tree } from './tree.ts'

/**
 * WORKDIR as a layer program: the directory and its missing parents, 0755, of the given owner (as `DirectoryDefaults`
 * says without one); an existing one is left alone and the layer is empty. Symlinks on the way are followed inside the root. Throws a `UserError` where something
 * on the way is no directory.
 */
export function makeDirectory(
  parent: Tree,
  path: string,
  defaults: Pick<DirectoryDefaults, 'owner' | 'mtime'>,
): LayerTree {
  const draft = draftLayer(parent)
  const target = draft.find(path).path
  for (let at = target; at !== ''; at = splitPath(at).parent) {
    const entry = parent.get(at)
    if (entry && entry.type !== 'directory') {
      throw new UserError(`cannot make the directory "/${target}": "/${at}" exists and is not a directory`, {
        hint: 'choose another directory, or remove the file in an earlier instruction',
      })
    }
  }
  const made = draft.makeDirectories(target, { mode: 0o755, ...defaults })
  return made ? draft.finish() : []
}
