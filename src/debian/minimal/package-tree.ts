import { UserError } from '#diagnostics'
import { readSmallContent } from '#layer'
import { comparePaths, type Entry, joinPath, splitPath } from '#tree'
import type { Found } from '../root-directory.ts'
import type { FileAttributes, RootFiles } from '../root-files.ts'

/** A system that exists as entries only: nothing of it is on a disk but the contents of its packages' files. */
export interface PackageTree extends RootFiles {
  /** The entry at a path, its last part not followed. */
  get(path: string): Entry | undefined
  /** The real place of a path, its last part not followed. */
  place(path: string): string
  /** The real place of a path, its last part followed, too. */
  realPlace(path: string): string
  /** Puts an entry at a real place. */
  put(place: string, entry: Entry, owner: string | undefined): void
  /** The package that an entry at a real place belongs with. */
  owner(place: string): string | undefined
  /** All entries: parents before children, hard links last. */
  entries(): readonly Entry[]
}

const linkLimit = 40

/** Bytes of a file that is read whole. */
const fileLimit = 64 << 20

/** `epoch`: seconds since 1970, the time of what no package brings, and the latest that anything has. */
export function createPackageTree(epoch: number): PackageTree {
  const nodes = new Map<string, { readonly entry: Entry; readonly owner: string | undefined }>()
  const children = new Map<string, Set<string>>([['', new Set()]])
  const mtime = { seconds: epoch, nanoseconds: 0 }

  const put = (place: string, entry: Entry, owner: string | undefined): void => {
    const { parent, name } = splitPath(place)
    if (parent !== '' && !nodes.has(parent)) {
      put(parent, { path: parent, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime }, owner)
    }
    const latest = entry.mtime.seconds > epoch ? mtime : entry.mtime
    nodes.set(place, { entry: { ...entry, path: place, mtime: latest }, owner })
    children.get(parent)?.add(name)
    if (entry.type === 'directory' && !children.has(place)) children.set(place, new Set())
  }
  const resolve = (path: string, isLastFollowed: boolean, links = 0): string => {
    const parts = path.split('/').filter(part => part !== '' && part !== '.')
    let place = ''
    for (const [i, part] of parts.entries()) {
      if (part === '..') {
        place = splitPath(place).parent
        continue
      }
      const next = joinPath(place, part)
      const entry = nodes.get(next)?.entry
      if (entry?.type !== 'symlink' || (i === parts.length - 1 && !isLastFollowed)) {
        place = next
        continue
      }
      if (links >= linkLimit) {
        throw new UserError(`/${path} cannot be made: its symbolic links lead in a circle`, {
          hint: 'two packages do not fit together, or one of them is damaged',
        })
      }
      const target = entry.link ?? ''
      const start = target.startsWith('/') ? target : `${place}/${target}`
      return resolve([start, ...parts.slice(i + 1)].join('/'), isLastFollowed, links + 1)
    }
    return place
  }
  const found = (path: string): Found => {
    const entry = nodes.get(resolve(path, false))?.entry
    if (entry === undefined) return path === '' ? 'directory' : 'nothing'
    return entry.type === 'directory' || entry.type === 'symlink' ? entry.type : 'other'
  }
  /** The place of something to make; what is there must not be a directory. */
  const free = (path: string): string => {
    const place = resolve(path, false)
    if (nodes.get(place)?.entry.type !== 'directory') return place
    throw new UserError(`/${path} is a directory`, { hint: 'choose another path' })
  }
  const remove = (path: string): void => {
    const place = resolve(path, false)
    for (const name of children.get(place) ?? []) remove(joinPath(place, name))
    children.delete(place)
    nodes.delete(place)
    const { parent, name } = splitPath(place)
    children.get(parent)?.delete(name)
  }
  const special = (type: 'file' | 'directory' | 'symlink', attributes: FileAttributes): Omit<Entry, 'path'> => {
    const { mode, uid, gid } = attributes
    return { type, mode, uid, gid, size: 0, mtime }
  }

  return {
    put,
    found,
    remove,
    place: path => resolve(path, false),
    realPlace: path => resolve(path, true),
    get: path => nodes.get(resolve(path, false))?.entry,
    owner: place => nodes.get(place)?.owner,
    list: path => [...(children.get(resolve(path, true)) ?? [])].sort(),
    target: path => nodes.get(resolve(path, false))?.entry.link,
    read(path) {
      const entry = nodes.get(resolve(path, true))?.entry
      const file = entry?.type === 'hardlink' ? nodes.get(entry.link ?? '')?.entry : entry
      return file?.type === 'file' ? contentBytes(file) : undefined
    },
    write(path, bytes, attributes) {
      const place = free(path)
      const entry = { ...special('file', attributes), size: bytes.length, source: { kind: 'bytes', bytes } } as const
      put(place, { ...entry, path: place }, attributes.package)
    },
    makeDirectory(path, attributes) {
      const place = resolve(path, true)
      const entry = nodes.get(place)?.entry
      if (entry !== undefined && entry.type !== 'directory') {
        throw new UserError(`/${path} is not a directory`, { hint: 'choose another path' })
      }
      put(place, { ...special('directory', attributes), path: place }, attributes.package)
    },
    link(path, target, from = {}) {
      const place = free(path)
      put(place, { ...special('symlink', { mode: 0o777, uid: 0, gid: 0 }), path: place, link: target }, from.package)
    },
    entries() {
      const sorted = [...nodes.values()].map(node => node.entry).sort((a, b) => comparePaths(a.path, b.path))
      return [...sorted.filter(entry => entry.type !== 'hardlink'), ...sorted.filter(e => e.type === 'hardlink')]
    },
  }
}

function contentBytes(entry: Entry): Buffer {
  return entry.size === 0 ? Buffer.alloc(0) : readSmallContent(entry, fileLimit)
}
