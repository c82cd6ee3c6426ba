import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError, type WarningSink } from '#diagnostics'
import { createLayerIndexer, decompress, packLayer, scanDirectory, writeDirectory } from '#layer'
import { getXattrs, lockFile, makeNode, setXattr } from '#linux'
import { type Digest, Sha256 } from '#oci'
import type { BuildPlan } from '#plan'
import type { Store } from '#store'
import { nameOf } from '../cache-mounts.ts'
import type { StepInputs } from '../step-kind.ts'
import { mountIn, type OpenedCache } from './open-cache.ts'

/** Which cache mounts travel. */
export interface MountChoice {
  readonly ids: readonly string[]
  /** Bytes that the archive of one may have. */
  readonly maxSize: number
}

/** The content of a cache mount, packed. */
export interface PackedMount {
  readonly id: string
  readonly namespace?: string
  readonly diffId: Digest
  readonly tarSize: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The archive; may be asked for more than once. */
  readonly open: () => AsyncIterable<Uint8Array>
}

interface PackOptions {
  readonly choice: MountChoice
  readonly warn: WarningSink
  readonly signal: AbortSignal
}

/** Packs the chosen cache mounts of a plan. One that is missing or larger than allowed is left out with a warning. */
export async function packMounts(
  store: Store,
  plans: readonly BuildPlan[],
  { choice, warn, signal }: PackOptions,
): Promise<readonly PackedMount[]> {
  const steps = plans.flatMap(plan => plan.stages.flatMap(stage => stage.steps))
  const mounts = steps.flatMap(step => (step.kind === 'run' ? step.mounts : [])).filter(each => each.type === 'cache')
  const packed: PackedMount[] = []
  for (const id of choice.ids) {
    const found = new Map(mounts.filter(mount => mount.id === id).map(mount => [nameOf(mount), mount]))
    if (found.size === 0) {
      warn({
        code: 'CacheMount',
        message: `no RUN has a cache mount with the id "${id}"`,
        hint: 'check mounts=ID of --cache-to',
      })
    }
    for (const [name, { namespace }] of found) {
      const about = { id, ...(namespace !== undefined && { namespace }) }
      const result = await packMount(store, name, { choice, signal })
      if (result.kind === 'packed') packed.push({ ...about, ...result.mount })
      else if (result.kind === 'too large') {
        warn({
          code: 'CacheMount',
          message: `the cache mount "${id}" has more than ${choice.maxSize} bytes and is left out`,
          hint: 'raise mounts-max-size of --cache-to, or empty it',
        })
      }
    }
  }
  return packed
}

type PackResult =
  | { readonly kind: 'packed'; readonly mount: Omit<PackedMount, 'id' | 'namespace'> }
  | { readonly kind: 'too large' | 'missing' }

/** Written to a file first: what is in it may change as soon as nobody holds the lock. */
async function packMount(
  store: Store,
  name: string,
  { choice, signal }: Omit<PackOptions, 'warn'>,
): Promise<PackResult> {
  const base = join(store.directory('mounts'), name)
  const data = join(base, 'data')
  if (!existsSync(data)) return { kind: 'missing' }
  using _ = await lockFile(`${base}.lock`, 'exclusive', { signal })
  const entries = scanDirectory(data, { overlay: false, xattrs: getXattrs })
  if (entries.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0) > choice.maxSize)
    return { kind: 'too large' }
  await using blob = await store.blobs.begin()
  const { tarSize } = await packLayer(entries, bytes => blob.write(bytes), { signal })
  const { digest } = await blob.commit()
  const { mode, uid, gid } = statSync(data)
  const open = (): AsyncIterable<Uint8Array> => store.blobs.read({ mediaType: '', digest, size: tarSize })
  return { kind: 'packed', mount: { diffId: digest, tarSize, mode: mode & 0o7777, uid, gid, open } }
}

/**
 * What cache mounts start with: the contents that caches have. One that is damaged or larger than allowed counts as absent, with a
 * warning.
 */
export function mountContents(
  store: Store,
  caches: readonly OpenedCache[],
  { choice, warn, signal }: PackOptions,
): NonNullable<StepInputs['mountContents']> {
  return async (wanted, directory) => {
    const found = choice.ids.includes(wanted.id) ? mountIn(caches, wanted) : undefined
    if (!found) return false
    try {
      await unpackMount(store, { ...found, directory, choice, signal })
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UserError)) throw error
      await rm(directory, { recursive: true, force: true })
      warn({
        code: 'CacheMount',
        message: `the content of the cache mount "${wanted.id}" cannot be taken over: ${error.message}`,
        hint: error.hint,
      })
      return false
    }
  }
}

interface Unpacking extends NonNullable<ReturnType<typeof mountIn>> {
  readonly directory: string
  readonly choice: MountChoice
  readonly signal: AbortSignal
}

async function unpackMount(store: Store, { mount, place, directory, choice, signal }: Unpacking): Promise<void> {
  const name = `the cache mount ${mount.id}`
  if (mount.tarSize > choice.maxSize * 2 + (1 << 20)) {
    throw new UserError(`it has ${mount.tarSize} bytes`, { hint: 'raise mounts-max-size of --cache-from' })
  }
  const source = await store.openPlace(place.repository)
  await using blob = await store.blobs.begin()
  const indexer = createLayerIndexer({ name, whiteouts: false })
  const hash = new Sha256()
  for await (const chunk of decompress(source.read(place.blob), { name })) {
    signal.throwIfAborted()
    hash.update(chunk)
    if (hash.size > mount.tarSize)
      throw new UserError(`${name} is longer than it should be`, { hint: 'export it again' })
    indexer.push(chunk)
    await blob.write(chunk)
  }
  if (hash.digest() !== mount.diffId)
    throw new UserError(`${name} has the digest ${hash.digest()}`, { hint: 'export it again' })
  const entries = indexer.finish(blob.path)
  mkdirSync(directory, { mode: 0o700 })
  await writeDirectory(entries, directory, {
    whiteouts: { kind: 'skip' },
    owners: true,
    calls: { setXattr, makeNode },
    signal,
  })
  chownSync(directory, mount.uid, mount.gid)
  chmodSync(directory, mount.mode)
}
