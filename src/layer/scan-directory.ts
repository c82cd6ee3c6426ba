import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { decodeName } from '#tar'
import { type Entry, joinPath } from '#tree'
import { diskPath } from './entries-file.ts'

export interface ScanOptions {
  /** Overlay's upper directory: device 0:0 is a whiteout, the opaque attribute an opaque directory. */
  readonly overlay: boolean
  /** Reads extended attributes; absent: they are not looked at. */
  readonly xattrs?: (path: string | Buffer) => ReadonlyMap<string, Uint8Array> | undefined
  /** Asked before an object (and what is below it) is taken. */
  readonly wanted?: (path: string, isDirectory: boolean) => boolean
}

/**
 * A directory on disk as entries, sorted by path components, contents not read. Times are whole seconds, as layers have
 * them. Hard links: the first name is the file, the others follow at the end of the list. Sockets are left out.
 */
export function scanDirectory(directory: string, options: ScanOptions): Entry[] {
  const entries: Entry[] = []
  const links: Entry[] = []
  const inodes = new Map<string, Entry>()

  const visit = (path: string): void => {
    for (const name of listDirectory(join(directory, path))) {
      const child = joinPath(path, name)
      const at = join(directory, child)
      const stats = lstatSync(diskPath(at))
      if (options.wanted && !options.wanted(child, stats.isDirectory())) continue
      const seen = entryOf(child, at, { stats, options })
      if (!seen) continue
      const entry = options.overlay ? withoutOverlayMarks(seen) : seen
      const linked =
        entry.type !== 'directory' && entry.type !== 'whiteout' && stats.nlink > 1
          ? `${stats.dev}:${stats.ino}`
          : undefined
      const first = linked === undefined ? undefined : inodes.get(linked)
      if (first) {
        links.push({ ...entry, type: 'hardlink', link: first.path })
        continue
      }
      if (linked !== undefined) inodes.set(linked, entry)
      entries.push(entry)
      if (entry.type !== 'directory') continue
      if (options.overlay && isOpaque(seen)) {
        entries.push({ path: child, type: 'opaque', mode: 0, uid: 0, gid: 0, size: 0, mtime: entry.mtime })
      }
      visit(child)
    }
  }
  visit('')
  return [...entries, ...links]
}

/** Names in a directory, sorted by code unit. */
export function listDirectory(path: string): string[] {
  const names = readdirSync(diskPath(path), { encoding: 'latin1' })
  return names.map(name => (/[^\0-\x7f]/.test(name) ? decodeName(Buffer.from(name, 'latin1')) : name)).sort()
}

interface Seen {
  readonly stats: Stats
  readonly options: Pick<ScanOptions, 'overlay' | 'xattrs'>
}

/** One object as an entry; undefined for a socket. */
export function entryOf(path: string, at: string, { stats, options }: Seen): Entry | undefined {
  const type = typeOf(stats)
  if (type === 'socket') return undefined
  const mtime = { seconds: Math.floor(stats.mtimeMs / 1000), nanoseconds: 0 }
  if (options.overlay && type === 'char' && stats.rdev === 0) {
    return { path, type: 'whiteout', mode: 0, uid: 0, gid: 0, size: 0, mtime }
  }
  const xattrs = options.xattrs?.(diskPath(at))
  const hasXattrs = xattrs !== undefined && xattrs.size > 0
  if (type === 'file' && !hasXattrs) {
    // Nearly all objects are such: made in one piece, which is several times faster than out of parts.
    const { mode, uid, gid, size } = stats
    return { path, type, mode: mode & 0o7777, uid, gid, size, mtime, source: { kind: 'file', path: at } }
  }
  return {
    path,
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === 'file' ? stats.size : 0,
    mtime,
    ...(type === 'symlink' && { link: decodeName(readlinkSync(diskPath(at), { encoding: 'buffer' })) }),
    ...((type === 'char' || type === 'block') && {
      device: { major: major(stats.rdev), minor: minor(stats.rdev) },
    }),
    ...(type === 'file' && { source: { kind: 'file', path: at } }),
    ...(hasXattrs && { xattrs }),
  }
}

function typeOf(stats: Stats): 'file' | 'directory' | 'symlink' | 'fifo' | 'char' | 'block' | 'socket' {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isCharacterDevice()) return 'char'
  if (stats.isBlockDevice()) return 'block'
  return 'socket'
}

/** Linux's encoding of device numbers in st_rdev (gnu_dev_major). */
function major(rdev: number): number {
  const value = BigInt(rdev)
  return Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n))
}

function minor(rdev: number): number {
  const value = BigInt(rdev)
  return Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n))
}

const overlayMark = /^(trusted|user)\.overlay\./

function isOpaque(entry: Entry): boolean {
  const mark = entry.xattrs?.get('trusted.overlay.opaque') ?? entry.xattrs?.get('user.overlay.opaque')
  return mark !== undefined && Buffer.from(mark).toString() === 'y'
}

/** Overlay's own attributes say how the directory is stored, not what is in the image. */
function withoutOverlayMarks(entry: Entry): Entry {
  if (!entry.xattrs || ![...entry.xattrs.keys()].some(name => overlayMark.test(name))) return entry
  const kept = new Map([...entry.xattrs].filter(([name]) => !overlayMark.test(name)))
  const { xattrs: _, ...rest } = entry
  return kept.size > 0 ? { ...rest, xattrs: kept } : rest
}
