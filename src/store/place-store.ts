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
}

export function openPlaceStore(database: DatabaseSync, now: () => number): PlaceStore {
  const select = database.prepare(
    'SELECT repository, digest, media_type, size FROM places WHERE diff_id = ? ORDER BY seen DESC, repository',
  )
  const insert = database.prepare(
    'INSERT OR REPLACE INTO places (diff_id, repository, digest, media_type, size, seen) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const remove = database.prepare('DELETE FROM places WHERE diff_id = ? AND repository = ? AND digest = ?')
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
    forgetPlace: (diffId, { repository, blob }) => {
      remove.run(diffId, repository, blob.digest)
    },
  }
}
