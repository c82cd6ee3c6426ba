import { constants } from 'node:os'
import { check, cString, type KernelPath, libc, systemError } from './libc.ts'

/** What the kernel allows at most, xattr(7): 64 KiB a value, 64 KiB of names. */
const maximum = 64 * 1024

/**
 * All extended attributes of the object itself (links are not followed), sorted by name; undefined when it has none or
 * the file system knows none. `trusted.*` is visible to root only. Errors as `node:fs` throws them (`ENOENT`, `EACCES`).
 */
export function getXattrs(path: KernelPath): ReadonlyMap<string, Uint8Array> | undefined {
  const names = listXattrs(path)
  if (names.length === 0) return undefined
  const out = new Map<string, Uint8Array>()
  for (const name of names) {
    // One may disappear between the two calls.
    const value = getXattr(path, name)
    if (value !== undefined) out.set(name, value)
  }
  return out.size === 0 ? undefined : out
}

/** One attribute of the object itself; undefined when it is not set. */
export function getXattr(path: KernelPath, name: string): Uint8Array | undefined {
  const at = cString(path)
  const key = cString(name)
  const small = Buffer.alloc(256)
  const size = libc().lgetxattr(at, key, small, small.length)
  if (size >= 0) return small.subarray(0, size)
  const error = libc().errno()
  if (error === constants.errno.ERANGE) {
    const large = Buffer.alloc(maximum)
    return large.subarray(0, check(libc().lgetxattr(at, key, large, maximum), 'lgetxattr', path))
  }
  if (isAbsent(error)) return undefined
  throw systemError(error, 'lgetxattr', path)
}

/** Names of the attributes of the object itself, sorted. */
export function listXattrs(path: KernelPath): string[] {
  const at = cString(path)
  const size = libc().llistxattr(at, null, 0)
  if (size === 0) return []
  // With room for names that somebody adds between the two calls.
  const list = Buffer.alloc(size < 0 ? 0 : Math.min(maximum, size + 256))
  const length = size < 0 ? size : libc().llistxattr(at, list, list.length)
  if (length < 0) {
    const error = libc().errno()
    if (isAbsent(error)) return []
    throw systemError(error, 'llistxattr', path)
  }
  return list.toString('utf8', 0, length).split('\0').filter(Boolean).sort()
}

/** Sets one attribute of the object itself, new or not. Errors: `ENOTSUP`, `EPERM`, `ENOSPC`, `ERANGE`, `ENOENT`. */
export function setXattr(path: KernelPath, name: string, value: Uint8Array): void {
  check(libc().lsetxattr(cString(path), cString(name), value, value.length, 0), 'lsetxattr', path)
}

/** Removes one attribute of the object itself; nothing happens when it is not set. */
export function removeXattr(path: KernelPath, name: string): void {
  if (libc().lremovexattr(cString(path), cString(name)) === 0) return
  const error = libc().errno()
  if (!isAbsent(error)) throw systemError(error, 'lremovexattr', path)
}

function isAbsent(errno: number): boolean {
  return errno === constants.errno.ENODATA || errno === constants.errno.ENOTSUP || errno === constants.errno.EOPNOTSUPP
}
