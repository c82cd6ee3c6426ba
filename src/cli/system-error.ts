import { UserError } from '#diagnostics'

interface Meaning {
  readonly message: string
  readonly hint: string
}

/** What the kernel says when the machine, not Slipway, is at fault (errno names as in Node's `error.code`). */
const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: {
    message: 'no space left on the disk',
    hint: 'free some space: "slipway prune" removes what no image uses; SLIPWAY_ROOT puts the store on another disk',
  },
  EDQUOT: {
    message: 'the disk quota is used up',
    hint: 'free some space: "slipway prune" removes what no image uses; SLIPWAY_ROOT puts the store elsewhere',
  },
  EACCES: {
    message: 'permission denied',
    hint: 'check who owns the path and its directories, or run as a user who may use it',
  },
  EROFS: {
    message: 'the file system is read-only',
    hint: 'write to another place; SLIPWAY_ROOT moves the store, TMPDIR temporary files',
  },
  EMFILE: {
    message: 'too many open files in this process',
    hint: 'raise the limit, for example with "ulimit -n 65536", and try again',
  },
  ENFILE: {
    message: 'too many open files on this machine',
    hint: 'end other programs or raise the limit fs.file-max, and try again',
  },
  EIO: {
    message: 'the disk reports a read or write error',
    hint: 'look at the kernel log (dmesg): the disk or its connection is failing',
  },
}

/** An owner that has no id here: in a user namespace only mapped ids exist (user_namespaces(7)). */
const unmappedOwner: Meaning = {
  message: 'a file of another user cannot be made by this user',
  hint: 'run as root, or get subordinate ids: "slipway doctor" says how',
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that are about the machine. */
const databaseMeanings: Readonly<Record<number, Meaning>> = {
  5: {
    message: 'another process keeps the store busy',
    hint: 'wait until other slipway commands have ended and try again',
  },
  6: {
    message: 'another process keeps the store locked',
    hint: 'wait until other slipway commands have ended and try again',
  },
  8: {
    message: 'the store cannot be written',
    hint: 'check the permissions of the store directory, or choose another one with SLIPWAY_ROOT',
  },
  10: {
    message: 'the disk reports an error while the store is used',
    hint: 'look at the kernel log (dmesg); SLIPWAY_ROOT puts the store on another disk',
  },
  11: {
    message: 'the database of the store is damaged',
    hint: 'move the store directory away, or choose another one with SLIPWAY_ROOT, and build again',
  },
  13: {
    message: 'no space left on the disk of the store',
    hint: 'free some space, or put the store on another disk with SLIPWAY_ROOT',
  },
  14: {
    message: 'the database of the store cannot be opened',
    hint: 'check the permissions of the store directory, or choose another one with SLIPWAY_ROOT',
  },
  26: {
    message: 'the database of the store is not a database',
    hint: 'move the store directory away, or choose another one with SLIPWAY_ROOT, and build again',
  },
}

/**
 * The error as one that the user can mend: a `UserError` itself, or a system error that is the machine's state, also
 * when it is the cause of another error. Undefined for everything else: that is our bug.
 */
export function userErrorOf(error: unknown): UserError | undefined {
  for (let depth = 0, at = error; depth < 8 && at instanceof Error; depth++, at = at.cause) {
    if (at instanceof UserError) return at
    const meaning = meaningOf(at)
    if (meaning) {
      const where = pathOf(at)
      return new UserError(where === undefined ? meaning.message : `${meaning.message}: ${where}`, {
        hint: meaning.hint,
        cause: error,
      })
    }
  }
  return undefined
}

function meaningOf(error: Error): Meaning | undefined {
  const { code, errcode, syscall } = error as { code?: unknown; errcode?: unknown; syscall?: unknown }
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') return databaseMeanings[errcode & 0xff]
  if ((code === 'EINVAL' || code === 'EPERM') && /^[fl]?chown$/.test(String(syscall))) return unmappedOwner
  return typeof code === 'string' && Object.hasOwn(meanings, code) ? meanings[code] : undefined
}

function pathOf(error: Error): string | undefined {
  const { path, dest } = error as { path?: unknown; dest?: unknown }
  if (typeof path !== 'string') return undefined
  return typeof dest === 'string' ? `${path} -> ${dest}` : path
}
