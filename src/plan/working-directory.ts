import { posix } from 'node:path'
import { type Place, UserError } from '#diagnostics'

/**
 * WORKDIR: an absolute path is stored as written, a relative one is joined to the current directory and cleaned, an
 * empty one stays. On Windows the drive is taken off and backslashes become slashes.
 */
export function nextDirectory(current: string, path: string): string {
  if (path === '') return current === '' ? '/' : current
  return path.startsWith('/') ? path : cleanDirectory(posix.join('/', current, path))
}

/** An absolute path without `.`, `..` and a slash at the end. */
export function cleanDirectory(path: string): string {
  const normal = posix.join('/', path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** A path of the platform with slashes. Throws a `UserError` for a drive other than C. */
export function slashed(path: string, os: string, place: Place): string {
  if (os !== 'windows') return path
  const drive = /^([A-Za-z]):/.exec(path)
  if (drive && drive[1]?.toUpperCase() !== 'C') {
    throw new UserError(`the drive of ${JSON.stringify(path)} is not C:`, {
      hint: 'only the system drive C: can be used',
      at: place,
    })
  }
  return (drive ? path.slice(2) : path).replaceAll('\\', '/')
}
