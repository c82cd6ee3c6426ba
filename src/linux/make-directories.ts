import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UserError } from '#diagnostics'

/**
 * Makes a directory with those above it that are missing; one that is there stays as it is. For directories that a user names: Node's
 * own `recursive` tries for ever where a directory that is there answers that it is not (below /proc). Throws a `UserError` where the
 * path cannot be a directory, and what the kernel says of the machine's state (`EACCES`, `ENOSPC`) as it is.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  const missing = [resolve(path)]
  for (let above = dirname(missing[0] as string); !existsSync(above); above = dirname(above)) missing.push(above)
  for (const each of missing.reverse()) makeDirectory(each, mode)
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
    const problem = problems[code]
    if (problem === undefined) throw error
    throw new UserError(`cannot make the directory ${JSON.stringify(path)}: ${problem}`, {
      hint: 'name another place',
      cause: error,
    })
  }
}

const problems: Readonly<Record<string, string>> = {
  EEXIST: 'something else has that name',
  ENOTDIR: 'what is above it is no directory',
  ENOENT: 'its file system lets nobody make one there',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
}
