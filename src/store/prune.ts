import { existsSync, lstatSync, statSync } from 'node:fs'
import { opendir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { isDigest } from '#oci'
import type { BlobStore } from './blob-store.ts'
import type { ImageStore } from './image-store.ts'
import type { LastBuilds } from './last-builds.ts'
import { isElsewhere, type LayerRecord, type LayerStore } from './layer-store.ts'
import { oldestSession, type Session } from './session.ts'

interface Parts {
  readonly root: string
  readonly database: DatabaseSync
  readonly session: Session
  readonly blobs: BlobStore
  readonly layers: LayerStore
  readonly images: ImageStore
  readonly lastBuilds: LastBuilds
}

/** Bytes on disk. */
export interface DiskUsage {
  readonly images: { readonly count: number; readonly size: number }
  /** Layers that no image needs: what makes the next build fast. */
  readonly cache: { readonly count: number; readonly size: number; readonly reclaimable: number }
  /** Layers that are known, but not here; bytes are those to be downloaded. */
  readonly elsewhere: { readonly count: number; readonly size: number }
  readonly packages: { readonly count: number; readonly size: number }
  readonly mounts: { readonly count: number; readonly size: number }
}

export interface PruneOptions {
  /** Images without a tag always go; with `all` also those with one. */
  readonly all: boolean
  /** Only what was not used since (milliseconds since 1970). */
  readonly usedBefore?: number
  /** Keep this many bytes of cache: what was used last stays. */
  readonly keepBytes?: number
}

export interface PruneResult {
  readonly images: readonly string[]
  readonly layers: number
  /** Bytes freed. */
  readonly freed: number
}

/** How long the inputs of a build that nobody repeats are kept: 30 days. */
const rememberedMs = 30 * 86_400_000

/** Times of files are those of the kernel's last tick, up to 10 ms before the clock's. */
const coarsenessMs = 20

type KnownLayer = LayerRecord & { readonly used: number }

/** What takes how much space. */
export async function diskUsage(parts: Parts): Promise<DiskUsage> {
  const known = parts.layers.all()
  const all = known.filter(layer => !isElsewhere(layer))
  const elsewhere = known.filter(isElsewhere)
  const kept = layersOfImages(parts.images.all())
  const sizes = await Promise.all(all.map(layer => sizeOnDisk(parts, layer)))
  const sum = (wanted: (layer: KnownLayer) => boolean): { count: number; size: number } => {
    let count = 0
    let size = 0
    all.forEach((layer, i) => {
      if (!wanted(layer)) return
      count++
      size += sizes[i] ?? 0
    })
    return { count, size }
  }
  const cache = sum(layer => !kept.has(layer.id))
  return {
    images: { count: parts.images.all().length, size: sum(layer => kept.has(layer.id)).size },
    cache: { ...cache, reclaimable: cache.size },
    elsewhere: {
      count: elsewhere.length,
      size: elsewhere.reduce((total, layer) => total + downloadSize(parts, layer), 0),
    },
    packages: await directorySize(join(parts.root, 'packages')),
    mounts: await directorySize(join(parts.root, 'mounts')),
  }
}

/**
 * Removes images without a tag, layers that no image needs, and files that nobody knows. What a running build has used
 * stays: everything used since the oldest living session began.
 */
export async function prune(parts: Parts, options: PruneOptions): Promise<PruneResult> {
  const limit = Math.min(
    options.usedBefore ?? Number.POSITIVE_INFINITY,
    oldestSession(parts.root, parts.session.id) ?? Number.POSITIVE_INFINITY,
  )
  const images: string[] = []
  for (const image of parts.images.all()) {
    if ((image.tags.length > 0 && !options.all) || image.made >= limit) continue
    parts.images.remove(image.id)
    images.push(image.id)
  }
  const { removed, freed } = await removeLayers(parts, limit, options.keepBytes)
  const orphans = await removeOrphans(parts, limit)
  parts.database
    .prepare('DELETE FROM places WHERE seen < ? AND diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id NOT NULL)')
    .run(Number.isFinite(limit) ? limit : parts.session.started)
  parts.database.exec('DELETE FROM compressed WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id NOT NULL)')
  // With the cache, the reason why it is gone would be forgotten: what is small stays for a while.
  await parts.lastBuilds.prune(options.all ? limit : Math.min(limit, parts.session.started - rememberedMs))
  return { images, layers: removed, freed: freed + orphans }
}

async function removeLayers(parts: Parts, limit: number, keepBytes = 0): Promise<{ removed: number; freed: number }> {
  const kept = layersOfImages(parts.images.all())
  const candidates = parts.layers.all().filter(layer => !kept.has(layer.id))
  candidates.sort((a, b) => b.used - a.used)
  let keptBytes = 0
  let freed = 0
  let removed = 0
  for (const layer of candidates) {
    const size = await sizeOnDisk(parts, layer)
    if (layer.used >= limit || (keepBytes > 0 && keptBytes + size <= keepBytes)) {
      keptBytes += size
      continue
    }
    await parts.layers.remove(layer)
    removed++
    freed += size
  }
  return { removed, freed }
}

/** Files without a row: left by a process that was killed between the two, or of layers just removed. */
async function removeOrphans(parts: Parts, limit: number): Promise<number> {
  const layers = parts.layers.all()
  const names = new Set(layers.map(layer => layer.name))
  const digests = new Set<string>(layers.flatMap(layer => (layer.diffId ? [layer.diffId] : [])))
  for (const image of parts.images.all()) digests.add(image.id)
  let freed = 0
  const before = Math.min(limit, parts.session.started) - coarsenessMs
  // Gone already when another process prunes too.
  const isOld = (path: string): boolean =>
    (lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY) < before
  for (const folder of ['layers', 'entries', 'skeletons']) {
    for (const name of await listing(join(parts.root, folder))) {
      const path = join(parts.root, folder, name)
      if (names.has(name) || !isOld(path)) continue
      await rm(path, { recursive: true, force: true })
    }
  }
  for (const name of await listing(join(parts.root, 'blobs', 'sha256'))) {
    const digest = `sha256:${name}`
    if (!isDigest(digest) || digests.has(digest)) continue
    const path = parts.blobs.path(digest)
    if (!isOld(path)) continue
    freed += fileSize(path)
    await parts.blobs.remove(digest)
  }
  return freed
}

function layersOfImages(images: readonly { readonly layers: readonly string[] }[]): ReadonlySet<string> {
  return new Set(images.flatMap(image => image.layers))
}

async function sizeOnDisk(parts: Parts, layer: LayerRecord): Promise<number> {
  const tar = layer.forms.tar && layer.diffId ? fileSize(parts.blobs.path(layer.diffId)) : 0
  const skeleton = fileSize(parts.layers.skeleton(layer))
  return (
    tar +
    skeleton +
    (layer.forms.directory ? (layer.size ?? (await directorySize(parts.layers.directory(layer))).size) : 0)
  )
}

function downloadSize({ layers }: Parts, { diffId }: LayerRecord): number {
  return (diffId === undefined ? undefined : layers.places(diffId)[0]?.blob.size) ?? 0
}

function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function directorySize(path: string): Promise<{ count: number; size: number }> {
  let count = 0
  let size = 0
  if (!existsSync(path)) return { count, size }
  for await (const entry of await opendir(path, { recursive: true })) {
    if (!entry.isFile()) continue
    count++
    size += fileSize(join(entry.parentPath, entry.name))
  }
  return { count, size }
}

async function listing(path: string): Promise<string[]> {
  return existsSync(path) ? readdir(path) : []
}
