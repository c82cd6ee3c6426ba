import { UserError } from '#diagnostics'
import type { Time } from '#tar'
import { cleanPath, type Entry, joinPath, type LayerTree, splitPath } from './entry.ts'
import type { Owner } from './copy-into.ts'
import { draftLayer, type LayerDraft } from './layer-draft.ts'
import { lookup } from './lookup.ts'
import type { Tree } from './tree.ts'

export interface UnpackOptions {
  /** Absolute; always a directory. */
  readonly destination: string
  readonly owner?: Owner
  /** Modification time of directories that have to be created. */
  readonly created: Time
}

/**
 * ADD of an archive as a layer program. Members keep mode, owner and time; the archive's own root entry is ignored;
 * symlinks on the way, in the destination or made by the archive, are followed inside the destination, never out of it.
 * Throws a `UserError` where the destination cannot be a directory, and for a hard link whose target is not in the archive.
 */
export function unpackInto(parent: Tree, members: readonly Entry[], options: UnpackOptions): LayerTree {
  const draft = draftLayer(parent)
  const base = draft.find(options.destination).path
  const directories = {
    mode: 0o755,
    ...(options.owner && { owner: options.owner }),
    mtime: options.created,
  }
  for (let at = base; at !== ''; at = splitPath(at).parent) {
    const entry = parent.get(at)
    if (entry && entry.type !== 'directory') {
      throw new UserError(`cannot unpack an archive into "/${base}": "/${at}" exists and is not a directory`, {
        hint: 'choose another destination, or copy the archive as a file with --unpack=false',
      })
    }
  }
  draft.makeDirectories(base, directories)
  for (const member of members) {
    const path = cleanPath(member.path)
    if (path === '') continue
    const target = place(draft, base, path)
    draft.makeDirectories(splitPath(target).parent, directories)
    const link = member.type === 'hardlink' ? hardLink(draft, base, member) : member.link
    draft.put({ ...member, path: target, ...options.owner, ...(link !== undefined && { link }) })
  }
  return draft.finish()
}

/** The member's place: its directory resolved with `base` as the root, its own name kept. */
function place(draft: LayerDraft, base: string, path: string): string {
  const inside = { get: (at: string): Entry | undefined => draft.tree.get(joinPath(base, at)) }
  const { parent, name } = splitPath(path)
  return joinPath(base, joinPath(lookup(inside, parent).path, name))
}

function hardLink(draft: LayerDraft, base: string, member: Entry): string {
  const target = place(draft, base, cleanPath(member.link ?? ''))
  const entry = draft.tree.get(target)
  if (!entry || entry.type === 'directory') {
    throw new UserError(
      `corrupt archive: "${member.path}" is a hard link to "${member.link ?? ''}", which is not in it`,
      {
        hint: 'make the archive again; tar must see the linked file before the link',
      },
    )
  }
  return target
}
