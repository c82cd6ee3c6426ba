import { closeSync, openSync } from 'node:fs'
import { libc, systemError } from './libc.ts'

/**
 * Waits until everything written to the file system that holds `path` is on disk, syncfs(2): one call instead of one for
 * each file. Runs on a thread of the pool. Throws as `node:fs` does, also for write errors since `path` was last synced.
 */
export async function syncFileSystem(path: string): Promise<void> {
  const fd = openSync(path, 'r')
  try {
    const { syncfs, errno } = libc()
    await new Promise<void>((resolve, reject) => {
      syncfs.async(fd, (error: Error | null, result: number) => {
        if (error) reject(error)
        else if (result === -1) reject(systemError(errno(), 'syncfs', path))
        else resolve()
      })
    })
  } finally {
    closeSync(fd)
  }
}
