import { mkdir, readFile, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { availableMemory } from 'node:process'
import type { ComposePlace } from '#debian'
import type { Store } from '#store'

/**
 * An empty directory to compose a base of so many bytes in: in main memory where that has plenty of room, as thousands of small files
 * are made there and dpkg waits for every line of its database to be on the disk; else in the store.
 */
export async function composePlace(store: Store, bytes: number): Promise<ComposePlace> {
  const inMemory = bytes * 2 < availableMemory() ? await store.inMemory('base') : undefined
  const isPassing = inMemory !== undefined && (await isRoomy(dirname(inMemory), bytes * 2))
  const path = isPassing ? inMemory : await store.temporary('base')
  await mkdir(path, { mode: 0o755 })
  return { path, isPassing }
}

/** `f_type` of a tmpfs (statfs(2)). */
const tmpfsMagic = 0x0102_1994

/** Whether a directory is in main memory, with so much room, and programs may be run from there. */
async function isRoomy(directory: string, bytes: number): Promise<boolean> {
  const { type, bavail, bsize } = await statfs(directory)
  if (type !== tmpfsMagic || bavail * bsize < bytes) return false
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return !optionsAt(directory, mounts).includes('noexec')
}

/** Options of the mount that a path is in (proc_pid_mountinfo(5), field 6): the longest mount point above it, the last of those. */
function optionsAt(path: string, mountinfo: string): readonly string[] {
  let best = { point: '', options: ['noexec'] as readonly string[] }
  for (const line of mountinfo.split('\n')) {
    const [, , , , point, options] = line.split(' ')
    if (point === undefined || options === undefined || point.length < best.point.length) continue
    if (path === point || path.startsWith(point === '/' ? '/' : `${point}/`))
      best = { point, options: options.split(',') }
  }
  return best.options
}
