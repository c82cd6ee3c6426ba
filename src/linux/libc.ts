import { createRequire } from 'node:module'
import { getSystemErrorMap } from 'node:util'
import type * as Koffi from 'koffi'

/** A path: text, or bytes where a name is not UTF-8. */
export type KernelPath = string | Uint8Array

type SizeCall = (path: Uint8Array, list: Uint8Array | null, size: number) => number

/** The C library's functions that node lacks. Each returns -1 on error. */
export interface LibC {
  readonly lgetxattr: (path: Uint8Array, name: Uint8Array, value: Uint8Array | null, size: number) => number
  readonly llistxattr: SizeCall
  readonly lsetxattr: (path: Uint8Array, name: Uint8Array, value: Uint8Array, size: number, flags: number) => number
  readonly lremovexattr: (path: Uint8Array, name: Uint8Array) => number
  readonly mknod: (path: Uint8Array, mode: number, device: number | bigint) => number
  readonly utimensat: (directory: number, path: Uint8Array, times: BigInt64Array, flags: number) => number
  readonly flock: (fd: number, operation: number) => number
  readonly copyFileRange: (
    from: number,
    fromOffset: BigInt64Array,
    to: number,
    toOffset: BigInt64Array,
    options: { readonly length: number; readonly flags: number },
  ) => number
  readonly fcntl: (fd: number, command: number, argument: number) => number
  readonly setns: (fd: number, kind: number) => number
  readonly syncfs: Koffi.KoffiFunc<(fd: number) => number>
  /** Of the call just made. */
  readonly errno: () => number
}

/** Loaded with the first call: the foreign function interface costs 10 ms, and most runs of a cached build need none. */
const loaded: { libc?: LibC } = {}

export function libc(): LibC {
  loaded.libc ??= bind(createRequire(import.meta.url)('koffi') as typeof Koffi)
  return loaded.libc
}

function bind(koffi: typeof Koffi): LibC {
  // The C library that node itself runs on, whatever its name is.
  const self = koffi.load(null)
  const copy = self.func(
    'int64 copy_file_range(int from, void *from_offset, int to, void *to_offset, uint64 length, uint32 flags)',
  )
  return {
    lgetxattr: self.func('int64 lgetxattr(void *path, void *name, void *value, uint64 size)'),
    llistxattr: self.func('int64 llistxattr(void *path, void *list, uint64 size)'),
    lsetxattr: self.func('int lsetxattr(void *path, void *name, void *value, uint64 size, int flags)'),
    lremovexattr: self.func('int lremovexattr(void *path, void *name)'),
    mknod: self.func('int mknod(void *path, uint32 mode, uint64 device)'),
    utimensat: self.func('int utimensat(int directory, void *path, void *times, int flags)'),
    flock: self.func('int flock(int fd, int operation)'),
    copyFileRange: (from, fromOffset, to, toOffset, { length, flags }) =>
      Number(copy(from, fromOffset, to, toOffset, length, flags)),
    fcntl: self.func('int fcntl(int fd, int command, int argument)'),
    setns: self.func('int setns(int fd, int kind)'),
    syncfs: self.func('int syncfs(int fd)') as LibC['syncfs'],
    errno: () => koffi.errno(),
  }
}

/** Bytes for a `const char *`. Throws for a null byte inside. */
export function cString(text: KernelPath): Uint8Array {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  // From Buffer's pool: a context of a million files asks a million times.
  const out = Buffer.allocUnsafe(length + 1)
  if (typeof text === 'string') out.write(text)
  else out.set(text)
  out[length] = 0
  if (out.indexOf(0) !== length) throw new Error('a null byte in a name')
  return out
}

/** Errors of system calls look like those of `node:fs`. */
export interface SystemError extends Error {
  readonly code: string
  /** Negative, as in node. */
  readonly errno: number
  readonly syscall: string
  readonly path?: string
}

/** The error for `errno` (positive). */
export function systemError(errno: number, syscall: string, path?: KernelPath): SystemError {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error']
  const shown = path === undefined ? undefined : typeof path === 'string' ? path : Buffer.from(path).toString()
  const error = new Error(`${code}: ${text}, ${syscall}${shown === undefined ? '' : ` '${shown}'`}`)
  return Object.assign(error, { code, errno: -errno, syscall, ...(shown !== undefined && { path: shown }) })
}

/** Throws when `result` is -1. */
export function check(result: number, syscall: string, path?: KernelPath): number {
  if (result === -1) throw systemError(libc().errno(), syscall, path)
  return result
}
