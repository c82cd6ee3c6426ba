import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { availableMemory } from 'node:process'
import type { ComposePlace } from '#debian'
import { mountAt } from '#linux'
import type { Store } from '#store'

/**
 * An empty directory to compose a base of so many bytes in: in main memory where that has plenty of room, as thousands of small files
 * are made there and dpkg waits for every line of its database to be on the disk; else in the store.
 */
export async function composePlace(store: Store, bytes: number): Promise<ComposePlace> {
  const room = bytes * 2
  const roomy = room < availableMemory() ? await store.inMemory('base', room) : undefined
  const isPassing = roomy !== undefined && runsFromMemory(dirname(roomy))
  const path = isPassing ? roomy : await store.temporary('base')
  await mkdir(path, { mode: 0o755 })
  return { path, isPassing }
}

/** Whether a directory is in main memory, and programs may be run from there. */
function runsFromMemory(directory: string): boolean {
  const mount = mountAt(directory)
  return mount?.type === 'tmpfs' && !mount.options.includes('noexec')
}
