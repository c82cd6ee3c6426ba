import { lstatSync, mkdirSync, readlinkSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { encodeName } from '#tar'

/** A path as system calls take it: names that are not UTF-8 become bytes. */
export function diskPath(path: string): string | Buffer {
  return /[\udc80-\udcff]/.test(path) ? encodeName(path) : path
}

/** What stands at a path, its last part not followed. */
export type Found = 'nothing' | 'directory' | 'symlink' | 'other'

/** Paths of packages → paths of a directory that becomes a root file system. */
export interface RootDirectory {
  readonly path: string
  /**
   * The real place of a path without leading slash: symbolic links on the way are followed inside the root, missing
   * directories are made, the last part is not followed. Relative to the root.
   */
  place(path: string): string
  /** The real place of a path whose last part is followed, too, where it is a link to a directory; else as `place`. */
  directoryPlace(path: string): string
  found(place: string): Found
  /** The real place of a path that exists, its last part not followed; makes nothing. */
  existing(path: string): string | undefined
  /** The real place of a regular file, links followed; undefined where there is none. Makes nothing. */
  realFile(path: string): string | undefined
  /** For system calls. */
  at(place: string): string | Buffer
}

const linkLimit = 40

/**
 * Opens an existing directory. Only this process may change it meanwhile: real places of directories are remembered.
 */
export function openRootDirectory(root: string): RootDirectory {
  const places = new Map<string, string>([['', '']])
  const at = (place: string): string | Buffer => diskPath(place === '' ? root : `${root}/${place}`)
  const found = (place: string): Found => {
    const status = lstatSync(at(place), { throwIfNoEntry: false })
    if (status === undefined) return 'nothing'
    return status.isDirectory() ? 'directory' : status.isSymbolicLink() ? 'symlink' : 'other'
  }

  /** The real place of a directory, made where it is missing. */
  const directory = (path: string, links = 0): string => {
    const known = places.get(path)
    if (known !== undefined) return known
    const candidate = joined(path, links)
    let place = candidate
    switch (found(candidate)) {
      case 'nothing':
        mkdirSync(at(candidate), { mode: 0o755 })
        break
      case 'symlink':
        place = follow(candidate, path, links)
        break
      case 'other':
        throw conflict(path, 'it is a file and a directory')
      case 'directory':
    }
    places.set(path, place)
    return place
  }
  const joined = (path: string, links: number): string => {
    const slash = path.lastIndexOf('/')
    const parent = slash === -1 ? '' : directory(path.slice(0, slash), links)
    const name = path.slice(slash + 1)
    return parent === '' ? name : `${parent}/${name}`
  }
  const follow = (link: string, path: string, links: number): string => {
    if (links >= linkLimit) throw conflict(path, 'its symbolic links lead in a circle')
    return directory(linkTarget(link, readlinkSync(at(link), 'utf8')), links + 1)
  }

  const existing = (path: string): string | undefined => {
    const slash = path.lastIndexOf('/')
    const parents = slash === -1 ? '' : path.slice(0, slash)
    if (parents !== '' && existing(parents) === undefined) return undefined
    const place = joined(path, 0)
    return found(place) === 'nothing' ? undefined : place
  }

  const realFile = (path: string, links = 0): string | undefined => {
    const place = existing(path)
    if (place === undefined || links > linkLimit) return undefined
    if (found(place) === 'symlink') {
      return realFile(linkTarget(place, readlinkSync(at(place), 'utf8')), links + 1)
    }
    return lstatSync(at(place)).isFile() ? place : undefined
  }

  return {
    path: root,
    at,
    realFile,
    found,
    existing,
    place: path => joined(path, 0),
    directoryPlace(path) {
      const place = joined(path, 0)
      return found(place) === 'symlink' ? directory(path) : place
    },
  }
}

/** Where a link at `link` leads, as a path inside the root; `..` stops at the root. */
function linkTarget(link: string, target: string): string {
  const parts = target.startsWith('/') ? [] : link.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function conflict(path: string, problem: string): UserError {
  return new UserError(`/${path} cannot be made: ${problem}`, {
    hint: 'two packages do not fit together, or one of them is damaged',
  })
}
