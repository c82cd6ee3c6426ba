import { closeSync, constants, openSync } from 'node:fs'
import { constants as os } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { libc, systemError } from './libc.ts'

/** A held lock; disposing releases it. So does the end of the process, however it comes. */
export interface FileLock extends Disposable {
  /** Of the lock file. */
  readonly path: string
}

const operation = { shared: 1, exclusive: 2 } as const
const dontWait = 4

/**
 * flock(2) on `path`, which is created (mode 0600) and never removed by this: removing a lock file is a race. Undefined
 * when another holder, also one in this process, is in the way. Errors as `node:fs` throws them.
 */
export function tryLockFile(path: string, kind: 'shared' | 'exclusive'): FileLock | undefined {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  if (libc().flock(fd, operation[kind] | dontWait) === -1) {
    const errno = libc().errno()
    closeSync(fd)
    if (errno === os.errno.EWOULDBLOCK) return undefined
    throw systemError(errno, 'flock', path)
  }
  let held = true
  return {
    path,
    [Symbol.dispose]() {
      if (held) closeSync(fd)
      held = false
    },
  }
}

/**
 * The same, waiting until it is free; asks again after 5 ms, later up to every 100 ms. `onWait` is called once, if there
 * is something to wait for. Throws the signal's reason after an abort.
 */
export async function lockFile(
  path: string,
  kind: 'shared' | 'exclusive',
  options: { readonly signal?: AbortSignal; readonly onWait?: () => void } = {},
): Promise<FileLock> {
  for (let pause = 5; ; pause = Math.min(100, pause * 2)) {
    options.signal?.throwIfAborted()
    const lock = tryLockFile(path, kind)
    if (lock) return lock
    if (pause === 5) options.onWait?.()
    await sleep(pause, undefined, options.signal && { signal: options.signal }).catch(() => {})
  }
}
