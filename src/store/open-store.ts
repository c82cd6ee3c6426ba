import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UserError } from '#diagnostics'
import type { Blobs, Manifests } from '#oci'
import { type BlobStore, openBlobStore } from './blob-store.ts'
import { openDatabase } from './database.ts'
import { type ImageStore, openImageStore } from './image-store.ts'
import { type LastBuilds, openLastBuilds } from './last-builds.ts'
import { type LayerStore, openLayerStore } from './layer-store.ts'
import { type DiskUsage, diskUsage, type PruneOptions, type PruneResult, prune } from './prune.ts'
import { openRecordStore, type RecordStore } from './record-store.ts'
import { beginSession } from './session.ts'

export interface Store extends Disposable {
  /** Absolute. */
  readonly root: string
  readonly blobs: BlobStore
  readonly layers: LayerStore
  readonly records: RecordStore
  readonly images: ImageStore
  readonly lastBuilds: LastBuilds
  /** A fresh path on the store's file system that vanishes with this process. */
  temporary(name: string): Promise<string>
  /**
   * A fresh path in main memory where the machine allows, for secrets and what lives shortly; it vanishes with this process, too.
   * `room`: bytes that must be free there, else the path is on the store's file system.
   */
  inMemory(name: string, room?: number): Promise<string>
  /** A directory that survives, for caches of other rooms (package downloads, cache mounts). */
  directory(name: string): string
  /**
   * A place that images and layers can be had from: `HOST/PATH` of a registry, or `oci-layout:` and an absolute path. Nothing is
   * asked of it yet. Throws a `UserError` where the way there is not open.
   */
  openPlace(repository: string): Promise<Blobs & Manifests>
  usage(): Promise<DiskUsage>
  prune(options: PruneOptions): Promise<PruneResult>
}

export interface StoreOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Opens registries and layouts, asked when a layer is needed that is not here; without it, there are none. */
  readonly openPlace?: Store['openPlace']
  /**
   * The process ends when the store is disposed of: the database is not closed but left to the kernel. Closing moves the log of
   * changes into the database and waits for the disk twice; left behind, the log is read by whoever opens it next.
   */
  readonly untilExit?: boolean
}

/** Opens (and if need be makes) the store at `root`. Dispose it when done. Throws as `openDatabase` does. */
export function openStore(
  root: string,
  { now = Date.now, openPlace = noPlace, untilExit = false }: StoreOptions = {},
): Store {
  const absolute = resolve(root)
  const database = openDatabase(absolute)
  const session = beginSession(absolute, now())
  const temporary = (name: string): Promise<string> => session.temporary(name)
  const blobs = openBlobStore(join(absolute, 'blobs'), temporary)
  const layers = openLayerStore(database, {
    layers: join(absolute, 'layers'),
    entries: join(absolute, 'entries'),
    skeletons: join(absolute, 'skeletons'),
    temporary,
    now,
  })
  const images = openImageStore(database, now)
  const lastBuilds = openLastBuilds(join(absolute, 'last-builds'), { temporary, now })
  const parts = { root: absolute, database, session, blobs, layers, images, lastBuilds }
  return {
    root: absolute,
    blobs,
    layers,
    images,
    lastBuilds,
    records: openRecordStore(database, now),
    temporary,
    inMemory: (name, room) => session.inMemory(name, room),
    directory: name => {
      const path = join(absolute, name)
      mkdirSync(path, { recursive: true })
      return path
    },
    openPlace,
    usage: () => diskUsage(parts),
    prune: options => prune(parts, options),
    [Symbol.dispose]: () => {
      if (!untilExit) database.close()
      session.end()
    },
  }
}

async function noPlace(repository: string): Promise<never> {
  throw new UserError(`a layer is at ${repository}, and nothing is fetched here`, {
    hint: 'pull the image first: slipway pull IMAGE',
  })
}
