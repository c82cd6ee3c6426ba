import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { positionOf, UserError } from '#diagnostics'
import { type IgnorePattern, ignoreMatcher } from '#dockerfile'
import { diskPath, entryOf, listDirectory } from '#layer'
import { getXattrs, keepHeapSmall } from '#linux'
import { type Digest, digestOf } from '#oci'
import { readStatCache, type Store, writeStatCache } from '#store'
import { type Entry, joinPath } from '#tree'
import type { Selectable } from './selectable.ts'

export interface LocalContext extends Selectable {
  /** Absolute, without symlinks. */
  readonly directory: string
  /** Writes what was learnt to the stat cache. */
  save(): Promise<void>
}

/** From so many files on, memory counts for more than the collector's speed. */
const manyFiles = 5_000

/** A file that changed this shortly before it was read may change again without its times telling. Milliseconds. */
const racy = 50

/**
 * A directory as a build context, less what its ignore file leaves out. It is looked at only where somebody asks. Owners
 * are 0:0 (section 12.12 of the language page), sockets appear as empty files (12.11). Throws a `UserError` when the directory cannot be read.
 */
export function openLocalContext(store: Store, path: string, ignore: readonly IgnorePattern[] = []): LocalContext {
  const directory = realDirectory(path)
  const filter = ignore.length > 0 ? ignoreMatcher(ignore) : undefined
  const cache = readStatCache(store.root, directory)
  /** What `lstat` said of the files that were asked for, for the stat cache; kept small, as there may be a million. */
  const keys = new Map<string, FileKey>()
  /** A walk asks several things about one object in a row. */
  let last: { readonly at: string; readonly stats: Stats | undefined } | undefined
  let learnt = 0
  /** What has extended attributes. */
  const attributed = new Set<string>()
  const learn = (at: string, key: FileKey, content: Digest | ''): void => {
    const before = cache.files.get(at)
    if (Date.now() - key[3] < racy || (before && isSame(before, key))) return
    cache.files.set(at, attributed.has(at) ? [...key, content, 1] : [...key, content])
    learnt++
  }

  // `at` is clean, so there is nothing for `join` to normalise: with many files, that alone shows.
  const below = directory === '/' ? directory : `${directory}/`
  const fullPath = (at: string): string => (at === '' ? directory : below + at)
  const statOf = (at: string): Stats | undefined => {
    if (last?.at !== at) last = { at, stats: lstatSync(diskPath(fullPath(at)), { throwIfNoEntry: false }) }
    return last.stats
  }
  const visible = (at: string): boolean => {
    if (!filter || at === '' || !filter.decide(at).ignored) return true
    // A directory shows up where something in it is let in again.
    return (
      statOf(at)?.isDirectory() === true &&
      filter.mustWalk(at) &&
      listDirectory(fullPath(at)).some(name => visible(joinPath(at, name)))
    )
  }
  const note = (at: string, key: FileKey): void => {
    keys.set(at, key)
    if (keys.size === manyFiles) keepHeapSmall()
  }
  const load = (at: string): Entry | undefined => {
    const found = statOf(at)
    if (!found || !visible(at)) return undefined
    const full = fullPath(at)
    if (found.isSocket())
      return {
        path: at,
        type: 'file',
        mode: found.mode & 0o7777,
        uid: 0,
        gid: 0,
        size: 0,
        mtime: { seconds: Math.floor(found.mtimeMs / 1000), nanoseconds: 0 },
        source: { kind: 'bytes', bytes: new Uint8Array() },
        content: digestOf(''),
      }
    const key: FileKey = [found.size, found.ino, found.mtimeMs, found.ctimeMs]
    const known = cache.files.get(at)
    // An attribute that is set changes the ctime: what had none then has none now.
    const same = known !== undefined && isSame(known, key)
    const bare = same && known[5] === undefined
    if (bare && known[4] !== '' && found.isFile()) {
      note(at, key)
      const mtime = { seconds: Math.floor(found.mtimeMs / 1000), nanoseconds: 0 }
      const source = { kind: 'file', path: full } as const
      // What an unchanged context consists of, in one piece: several times faster than out of parts.
      const { mode, size } = found
      return { path: at, type: 'file', mode: mode & 0o7777, uid: 0, gid: 0, size, mtime, source, content: known[4] }
    }
    const entry = entryOf(at, full, { stats: found, options: { overlay: false, ...(!bare && { xattrs: getXattrs }) } })
    if (entry?.xattrs) attributed.add(at)
    if (found.isFile()) note(at, key)
    else if (!bare) learn(at, key, '')
    return entry && { ...entry, uid: 0, gid: 0 }
  }

  return {
    directory,
    get: at => guarded(directory, at, () => load(at)),
    list: at => {
      const found = statOf(at)
      if (!found?.isDirectory()) return []
      return guarded(directory, at, () => listDirectory(fullPath(at)).filter(name => visible(joinPath(at, name))))
    },
    inodeOf: at => {
      const found = statOf(at)
      return found && found.nlink > 1 && !found.isDirectory() ? `${found.dev}:${found.ino}` : undefined
    },
    knownContent: entry => {
      const known = cache.files.get(entry.path)
      const now = keys.get(entry.path)
      return known && now && isSame(known, now) && known[4] !== '' ? known[4] : undefined
    },
    learnContent: (entry, content) => {
      if (entry.source?.kind !== 'file' || !entry.source.path.startsWith(below)) return
      const at = entry.source.path.slice(below.length)
      const now = keys.get(at)
      if (now) learn(at, now, content)
    },
    whyMissing: at => {
      const decision = filter?.decide(at)
      if (!decision?.ignored || !statOf(at)) return undefined
      const place = decision.decidedBy?.place
      const name = place?.source.name ?? '.dockerignore'
      const line = place ? positionOf(place.source, place.span.start).line : undefined
      return {
        message: `${name}${line === undefined ? '' : `:${line}`} leaves it out of the build context`,
        hint: `add a line "!${at}" at the end of ${name}${line === undefined ? '' : `, or remove line ${line}`}`,
      }
    },
    save: async () => {
      if (learnt === 0) return
      for (const at of cache.files.keys()) if (!keys.has(at) && !statOf(at)) cache.files.delete(at)
      writeStatCache(store.root, directory, { cache, temporary: await store.temporary('stat-cache') })
      learnt = 0
    },
  }
}

type FileKey = readonly [size: number, inode: number, mtimeMs: number, ctimeMs: number]

function isSame(known: readonly unknown[], now: FileKey): boolean {
  return known[0] === now[0] && known[1] === now[1] && known[2] === now[2] && known[3] === now[3]
}

function realDirectory(path: string): string {
  const real = guarded(path, '', () => realpathSync(path))
  if (!lstatSync(real).isDirectory()) {
    throw new UserError(`the build context "${path}" is not a directory`, {
      hint: 'name a directory, such as "." for this one',
    })
  }
  return real
}

/** System errors about the user's own files, with the file's name. */
function guarded<T>(directory: string, path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const at = join(directory, path)
    if (code === 'ENOENT')
      throw new UserError(`the build context "${at}" does not exist`, {
        hint: 'name an existing directory, such as "." for this one',
        cause: error,
      })
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UserError(`cannot read "${at}" of the build context: permission denied`, {
        hint: 'change its permissions, or list it in .dockerignore',
        cause: error,
      })
    }
    throw error
  }
}
