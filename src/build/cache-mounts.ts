import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { type FileLock, lockFile, type SandboxMount, tryLockFile } from '#linux'
import type { RunMount, RunStep } from '#plan'
import { findAccount } from '#rootfs'
import { materialise, selectMount } from './bound-files.ts'
import type { StepInputs } from './step-kind.ts'

type Cache = Extract<RunMount, { type: 'cache' }>

/** Directories for the caches of one RUN, by mount. Disposing gives them free. */
export interface CacheMounts extends Disposable {
  readonly mounts: ReadonlyMap<RunMount, SandboxMount>
}

/**
 * Prepares the caches of a RUN: directories that outlive builds (section 11.9 of the language page). While a RUN has a
 * directory, others that share it may have it too, those that ask for it alone wait for it (`locked`) or get another one
 * (`private`). Two mounts of one RUN with the same id are the same directory.
 */
export async function openCacheMounts(step: RunStep, inputs: StepInputs): Promise<CacheMounts> {
  const caches = step.mounts.filter(mount => mount.type === 'cache')
  const root = inputs.store.directory('mounts')
  const locks: FileLock[] = []
  const release = (): void => {
    for (const lock of locks) lock[Symbol.dispose]()
  }
  try {
    const places = new Map<string, string>()
    // Everybody waits in the same order, so nobody waits in a circle.
    const wanted = caches.toSorted((a, b) => compare(nameOf(a), nameOf(b)) || strictness(a) - strictness(b))
    for (const mount of wanted) {
      const name = nameOf(mount)
      if (places.has(name)) continue
      const { base, lock } = await takePlace(join(root, name), mount, inputs.signal)
      locks.push(lock)
      places.set(name, base)
    }
    const mounts = new Map<RunMount, SandboxMount>()
    for (const mount of caches) {
      const base = places.get(nameOf(mount)) ?? ''
      await seed(mount, base, { step, inputs })
      mounts.set(mount, { kind: 'bind', source: join(base, 'data'), target: mount.target, readonly: mount.readonly })
    }
    return { mounts, [Symbol.dispose]: release }
  } catch (error) {
    release()
    throw error
  }
}

/** The directory of a cache, below `mounts` of the store. */
export function nameOf({ id, namespace }: Pick<Cache, 'id' | 'namespace'>): string {
  const identity = namespace === undefined ? id : JSON.stringify([namespace, id])
  return createHash('sha256').update(identity).digest('hex').slice(0, 32)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Of several mounts with one id the one that asks for most decides. */
function strictness({ sharing }: Cache): number {
  return { locked: 0, private: 1, shared: 2 }[sharing]
}

async function takePlace(
  path: string,
  { sharing }: Cache,
  signal: AbortSignal,
): Promise<{ readonly base: string; readonly lock: FileLock }> {
  if (sharing !== 'private') {
    const lock = await lockFile(`${path}.lock`, sharing === 'locked' ? 'exclusive' : 'shared', { signal })
    return { base: path, lock }
  }
  for (let copy = 0; ; copy++) {
    const base = copy === 0 ? path : `${path}-${copy}`
    const lock = tryLockFile(`${base}.lock`, 'exclusive')
    if (lock) return { base, lock }
  }
}

/** Gives a cache that is new its first content, owner and mode; without any wish it belongs to the current USER. */
async function seed(
  mount: Cache,
  base: string,
  { step, inputs }: { readonly step: RunStep; readonly inputs: StepInputs },
): Promise<void> {
  mkdirSync(base, { recursive: true, mode: 0o700 })
  const data = join(base, 'data')
  // Others that share it may be about to do the same, and an empty directory could be replaced under their feet.
  using _ = await lockFile(`${base}.new.lock`, 'exclusive', { signal: inputs.signal })
  const isThere = existsSync(data)
  const isEmpty = !isThere || readdirSync(data).length === 0
  if (isThere && !(isEmpty && inputs.mountContents)) return
  const fresh = await inputs.store.temporary('cache-mount')
  if (await inputs.mountContents?.(mount, fresh)) {
    if (!isThere) return await rename(fresh, data)
    // Others may have the empty directory mounted: it stays the same one.
    for (const name of readdirSync(fresh)) await rename(join(fresh, name), join(data, name))
    return
  }
  if (isThere) return
  if (mount.from) {
    const { item } = await selectMount({ from: mount.from, source: mount.source, place: mount.place }, inputs)
    if (await materialise(item, fresh, inputs.signal)) {
      throw new UserError(`the source "${mount.source}" of a cache mount is a file`, {
        hint: 'a cache mount needs a directory',
        at: mount.place,
      })
    }
    const { uid, gid } = { ...pick(statSync(fresh)), ...given(mount) }
    chownSync(fresh, uid, gid)
  } else {
    mkdirSync(fresh, { mode: 0o755 })
    const { uid, gid } = { ...(await accountOf(step, inputs)), ...given(mount) }
    chownSync(fresh, uid, gid)
    chmodSync(fresh, 0o755)
  }
  if (mount.mode !== undefined) chmodSync(fresh, mount.mode)
  await rename(fresh, data)
}

function given({ uid, gid }: Cache): { uid?: number; gid?: number } {
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) }
}

function pick({ uid, gid }: { readonly uid: number; readonly gid: number }): { uid: number; gid: number } {
  return { uid, gid }
}

async function accountOf(step: RunStep, inputs: StepInputs): Promise<{ uid: number; gid: number }> {
  if (step.user === '') return { uid: 0, gid: 0 }
  return pick(findAccount(await inputs.parentTree(), step.user))
}
