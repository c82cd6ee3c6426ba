/**
 * store: our state directory: blobs, layers in their forms, cache records, images and tags, leases, garbage collection.
 *
 * In: a root directory. Out: a `Store`; several processes may have the same one open. Always: bytes become visible under
 * their final name only when complete; a process killed at any moment loses nothing that was finished and leaves nothing
 * that the next one does not clean up.
 */
export { type BlobStore, type BlobWriter } from './blob-store.ts'
export { cacheKey } from './cache-key.ts'
export type { ImageOrigin, ImageRecipe, ImageRecord, LayerRecipe } from './image-store.ts'
export type { LastBuilds } from './last-builds.ts'
export {
  isElsewhere,
  type LayerId,
  type LayerRecord,
  type LayerStore,
  type NamedLayer,
  type NewLayer,
  type UnpackedLayer,
} from './layer-store.ts'
export { openStore, type Store, type StoreOptions } from './open-store.ts'
export type { LayerPlace } from './place-store.ts'
export type { DiskUsage, PruneOptions, PruneResult } from './prune.ts'
export type { CacheInputs, CacheRecord, RecordStore } from './record-store.ts'
export { readStatCache, type StatCache, writeStatCache } from './stat-cache.ts'
