import { check, cString, type KernelPath, libc } from './libc.ts'

/** Seconds since 1970 (may be negative) and nanoseconds 0..999,999,999 to add. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

const atWorkingDirectory = -100
const symlinkNoFollow = 0x100

/**
 * Sets access and modification time of the object itself (links are not followed) to the nanosecond, utimensat(2).
 * Errors as `node:fs` throws them.
 */
export function setFileTimes(
  path: KernelPath,
  times: { readonly access: FileTime; readonly modification: FileTime },
): void {
  const { access, modification } = times
  const list = BigInt64Array.of(
    BigInt(access.seconds),
    BigInt(access.nanoseconds),
    BigInt(modification.seconds),
    BigInt(modification.nanoseconds),
  )
  check(libc().utimensat(atWorkingDirectory, cString(path), list, symlinkNoFollow), 'utimensat', path)
}
