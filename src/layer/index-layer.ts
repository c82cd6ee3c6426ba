import { createHash, hash } from 'node:crypto'
import { UserError } from '#diagnostics'
import type { Digest } from '#oci'
import { createTarParser, type TarHeader } from '#tar'
import { cleanPath, contentOf, type Entry, joinPath, type LayerTree, splitPath } from '#tree'

/** Reads a layer archive while it flows by. */
export interface LayerIndexer {
  push(chunk: Uint8Array): void
  /** The layer's entries, each path once; `archive` is where the uncompressed archive will be found. */
  finish(archive: string): LayerTree
}

export interface IndexOptions {
  /** How errors call the archive. */
  readonly name: string
  /** False for an archive that is no layer: `.wh.` names are ordinary files then. */
  readonly whiteouts: boolean
  /** Told of each member once its header has come; a name may come again. `offset`: of a file's content in the archive. */
  readonly onEntry?: (entry: Entry, offset: number) => void
}

interface Pending {
  readonly entry: Entry
  readonly offset: number
}

/**
 * Turns an archive's members into entries: names cleaned so that none leads out of the root, whiteouts recognised
 * (image-spec, layer.md), a repeated name counts as it was written last. Throws a `UserError` for damage, and for
 * sparse files, whose content does not lie in the archive in one piece.
 */
export function createLayerIndexer({ name, whiteouts, onEntry }: IndexOptions): LayerIndexer {
  const entries = new Map<string, Pending>()
  let digest: ReturnType<typeof createHash> | undefined
  let content: Digest | undefined
  let current: Pending | undefined
  const parser = createTarParser(
    {
      onHeader: (header, offset) => {
        const entry = toEntry(header, whiteouts)
        current = undefined
        digest = undefined
        content = undefined
        if (!entry) return
        if (entry.type === 'file' && offset === undefined) {
          throw new UserError(`${name}: "${entry.path}" is stored as a sparse file`, {
            hint: 'make the archive without tar --sparse',
          })
        }
        current = { entry, offset: offset ?? -1 }
        onEntry?.(entry, current.offset)
      },
      onContent: bytes => {
        if (current?.entry.type !== 'file') return
        // Most come whole, and to hash them in one call costs a third.
        if (bytes.length === current.entry.size) content = `sha256:${hash('sha256', bytes, 'hex')}` as Digest
        else (digest ??= createHash('sha256')).update(bytes)
      },
      onHole: () => undefined,
      onMemberEnd: () => {
        if (!current) return
        if (digest) content = `sha256:${digest.digest('hex')}` as Digest
        content ??= contentOf(current.entry)
        const key = current.entry.type === 'opaque' ? joinPath(current.entry.path, '.wh..wh..opq') : current.entry.path
        entries.delete(key)
        entries.set(key, content === undefined ? current : { ...current, entry: { ...current.entry, content } })
        current = undefined
      },
    },
    { name },
  )
  return {
    push: chunk => parser.push(chunk),
    finish: archive => {
      parser.end()
      return [...entries.values()].map(({ entry, offset }) =>
        entry.type === 'file' ? { ...entry, source: { kind: 'range', path: archive, offset } } : entry,
      )
    },
  }
}

function toEntry(header: TarHeader, whiteouts: boolean): Entry | undefined {
  const path = cleanPath(header.path)
  const { parent, name } = splitPath(path)
  if (whiteouts && name.startsWith('.wh.')) {
    const mark = { mode: 0, uid: 0, gid: 0, size: 0, mtime: header.mtime }
    if (name === '.wh..wh..opq') return { ...mark, path: parent, type: 'opaque' }
    // Bookkeeping of aufs.
    if (name.startsWith('.wh..wh.')) return undefined
    const hidden = name.slice('.wh.'.length)
    // `.wh.`, `.wh..` and `.wh...` would name the directory itself or its parent.
    return hidden === '' || hidden === '.' || hidden === '..'
      ? undefined
      : { ...mark, path: joinPath(parent, hidden), type: 'whiteout' }
  }
  return { ...header, path, ...(header.type === 'hardlink' && { link: cleanPath(header.link ?? '') }) }
}
