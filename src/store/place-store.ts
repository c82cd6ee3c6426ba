import type { DatabaseSync } from 'node:sqlite'
import type { Descriptor, Digest } from '#oci'

/** Where the archive of a layer can be had. */
export interface LayerPlace {
  /** What `openPlace` of the store takes: `HOST/PATH` of a registry, or `oci-layout:` and an absolute path. */
  readonly repository: string
  readonly blob: Descriptor
}

/** The part of the layer store that knows of bytes elsewhere. */
export interface PlaceStore {
  places(diffId: Digest): readonly LayerPlace[]
  addPlace(diffId: Digest, repository: string, blob: Descriptor): void
  forgetPlace(diffId: Digest, place: LayerPlace): void
  /** What compressing the layer's archive in this way once gave; its bytes may be nowhere any more. */
  compressed(diffId: Digest, variant: string): Descriptor | undefined
  /** `variant` names everything that the bytes depend on: the compression, its level, the library. */
  rememberCompressed(diffId: Digest, variant: string, blob: Descriptor): void
}

export function openPlaceStore(database: DatabaseSync, now: () => number): PlaceStore {
  const select = database.prepare(
    'SELECT repository, digest, media_type, size FROM places WHERE diff_id = ? ORDER BY seen DESC, repository',
  )
  const insert = database.prepare(
    'INSERT OR REPLACE INTO places (diff_id, repository, digest, media_type, size, seen) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const remove = database.prepare('DELETE FROM places WHERE diff_id = ? AND repository = ? AND digest = ?')
  const selectCompressed = database.prepare(
    'SELECT digest, media_type, size FROM compressed WHERE diff_id = ? AND variant = ?',
  )
  const insertCompressed = database.prepare(
    'INSERT OR REPLACE INTO compressed (diff_id, variant, media_type, digest, size) VALUES (?, ?, ?, ?, ?)',
  )
  return {
    places: diffId =>
      select.all(diffId).map(row => ({
        repository: String(row['repository']),
        blob: {
          mediaType: String(row['media_type']),
          digest: row['digest'] as Digest,
          size: Number(row['size']),
        },
      })),
    addPlace: (diffId, repository, { digest, mediaType, size }) => {
      insert.run(diffId, repository, digest, mediaType, size, now())
    },
    compressed: (diffId, variant) => {
      const row = selectCompressed.get(diffId, variant)
      if (row === undefined) return undefined
      return { mediaType: String(row['media_type']), digest: row['digest'] as Digest, size: Number(row['size']) }
    },
    rememberCompressed: (diffId, variant, { mediaType, digest, size }) => {
      insertCompressed.run(diffId, variant, mediaType, digest, size)
    },
    forgetPlace: (diffId, { repository, blob }) => {
      remove.run(diffId, repository, blob.digest)
    },
  }
}
