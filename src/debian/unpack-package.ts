import { createHash, type Hash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  openSync,
  constants,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { UserError } from '#diagnostics'
import { makeNode } from '#linux'
import { createTarParser, type TarHeader } from '#tar'
import type { PathFilter } from './path-filter.ts'
import { diskPath, type RootDirectory } from './root-directory.ts'

/** The files of all packages that are unpacked into one root. */
export interface Unpacking {
  readonly root: RootDirectory
  /** Real place → who has it. Directories belong to nobody. */
  readonly owners: Map<string, FileOwner>
  /** Real place → attributes by the first package, in the order of `UnpackedPackage.rank`, that has the directory. */
  readonly directories: Map<string, DirectoryAttributes>
  /** What is left out; it stays in packages' lists, as with dpkg. */
  readonly filter: PathFilter
}

export interface FileOwner {
  readonly owner: UnpackedPackage
  /** As the package calls it. */
  readonly path: string
}

export interface DirectoryAttributes {
  readonly rank: number
  readonly header: TarHeader
}

/** A package while it is unpacked, and what is known of its files afterwards. */
export interface UnpackedPackage {
  readonly name: string
  /** Position among all packages: decides what the result looks like, never the order in which they arrive. */
  readonly rank: number
  /** Whether this package may take over files of that one (Replaces). */
  replaces(other: UnpackedPackage): boolean
  /** Paths whose MD5 is wanted: all of them, or those of the set. */
  readonly hashed: ReadonlySet<string> | 'all'
  /** Paths with leading slash in the archive's order (`/.` first); paths that another package took over are gone. */
  readonly paths: Set<string>
  /** Path with leading slash → MD5 as hexadecimal digits. */
  readonly md5: Map<string, string>
}

/**
 * Unpacks a data archive as dpkg does: into existing directories whatever their attributes, through symbolic links to
 * directories, never over another package's files unless one replaces the other. Throws a `UserError` for files that two
 * packages claim and for archives that reach outside.
 */
export async function unpackPackage(
  data: AsyncIterable<Uint8Array>,
  unpacked: UnpackedPackage,
  unpacking: Unpacking,
): Promise<void> {
  const writer = createWriter(unpacked, unpacking)
  const parser = createTarParser(writer, { name: `package ${unpacked.name}` })
  try {
    for await (const chunk of data) parser.push(chunk)
    parser.end()
  } finally {
    writer.close()
  }
}

interface OpenFile {
  readonly fd: number
  readonly path: string
  readonly header: TarHeader
  readonly hash: Hash | undefined
}

interface Writer {
  onHeader(header: TarHeader): void
  onContent(bytes: Uint8Array): void
  onHole(size: number): void
  onMemberEnd(): void
  /** Closes what an error left open. */
  close(): void
}

function createWriter(unpacked: UnpackedPackage, unpacking: Unpacking): Writer {
  const { root } = unpacking
  let file: OpenFile | undefined
  /** The member's real place, or undefined where it is not to be made. */
  const start = (path: string, header: TarHeader): string | undefined => {
    const place = root.place(path)
    const found = root.found(place)
    if (found === 'nothing') return place
    if (found === 'directory') {
      // dpkg keeps a directory where an archive has a symbolic link.
      if (header.type === 'symlink') return undefined
      throw new UserError(`package ${unpacked.name} has /${path} as a file where another has a directory`, {
        hint: 'the packages do not fit together',
      })
    }
    if (!takesOver(`/${path}`, unpacking.owners.get(place), unpacked)) return undefined
    unlinkSync(root.at(place))
    return place
  }
  const make = (path: string, header: TarHeader): void => {
    const place = start(path, header)
    if (place === undefined) return
    unpacking.owners.set(place, { owner: unpacked, path: `/${path}` })
    if (header.type === 'file') file = openFile(path, header, unpacked, root.at(place))
    else makeSpecial(place, header, root)
  }
  return {
    onHeader(header) {
      const path = cleanPath(header.path, unpacked.name)
      unpacked.paths.add(path === '' ? '/.' : `/${path}`)
      const type = header.type === 'directory' || header.type === 'symlink' ? header.type : 'other'
      if (unpacking.filter.excludes(path, type)) return
      if (header.type === 'directory') makeDirectory(path, header, unpacked, unpacking)
      else make(path, header)
    },
    onContent(bytes) {
      if (file === undefined) return
      file.hash?.update(bytes)
      for (let at = 0; at < bytes.length; ) at += writeSync(file.fd, bytes, at)
    },
    onHole() {
      throw new UserError(`package ${unpacked.name} has a sparse file, which packages never have`, {
        hint: 'the package is damaged',
      })
    },
    onMemberEnd() {
      if (file === undefined) return
      const { fd, header, hash, path } = file
      fchownSync(fd, header.uid, header.gid)
      fchmodSync(fd, header.mode & 0o7777)
      futimesSync(fd, header.mtime.seconds, header.mtime.seconds)
      if (hash) unpacked.md5.set(`/${path}`, hash.digest('hex'))
      closeSync(fd)
      file = undefined
    },
    close() {
      if (file) closeSync(file.fd)
      file = undefined
    },
  }
}

function openFile(path: string, header: TarHeader, unpacked: UnpackedPackage, at: string | Buffer): OpenFile {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW
  const wanted = unpacked.hashed === 'all' || unpacked.hashed.has(`/${path}`)
  return { fd: openSync(at, flags, 0o600), path, header, hash: wanted ? createHash('md5') : undefined }
}

/** Without `./` and slashes around; the root is empty. */
function cleanPath(path: string, name: string): string {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..') || path.includes('\n')) {
    throw new UserError(`package ${name} has a member with the name ${JSON.stringify(path)}`, {
      hint: 'the package is damaged or hostile',
    })
  }
  return parts.join('/')
}

/** Whether `taker` gets a path that is there already; the one who does not, loses it from its list. */
function takesOver(path: string, present: FileOwner | undefined, taker: UnpackedPackage): boolean {
  if (present === undefined || present.owner === taker) return true
  const { owner } = present
  if (taker.replaces(owner) || (present.path !== path && taker.rank > owner.rank && !owner.replaces(taker))) {
    owner.paths.delete(present.path)
    owner.md5.delete(present.path)
    return true
  }
  if (owner.replaces(taker) || present.path !== path) {
    taker.paths.delete(path)
    return false
  }
  throw new UserError(`${path} is in the package ${taker.name} and in the package ${owner.name}`, {
    hint: 'the packages cannot be installed together; leave one of them out',
  })
}

function makeDirectory(path: string, header: TarHeader, unpacked: UnpackedPackage, unpacking: Unpacking): void {
  const place = path === '' ? '' : unpacking.root.directoryPlace(`${path}`)
  if (place !== '' && unpacking.root.found(place) === 'other') {
    throw new UserError(`package ${unpacked.name} has /${path} as a directory where another has a file`, {
      hint: 'the packages do not fit together',
    })
  }
  // `place` of something below makes the directory.
  unpacking.root.place(path === '' ? 'x' : `${path}/x`)
  const known = unpacking.directories.get(place)
  if (known === undefined || unpacked.rank < known.rank) {
    unpacking.directories.set(place, { rank: unpacked.rank, header })
  }
}

function makeSpecial(place: string, header: TarHeader, root: RootDirectory): void {
  const at = root.at(place)
  switch (header.type) {
    case 'symlink':
      symlinkSync(diskPath(header.link ?? ''), at)
      break
    case 'hardlink':
      linkSync(root.at(root.place(cleanPath(header.link ?? '', place))), at)
      return
    case 'char':
    case 'block':
    case 'fifo':
      makeNode(at, { type: header.type, mode: header.mode, major: 0, minor: 0, ...header.device })
      chmodSync(at, header.mode & 0o7777)
      break
    case 'file':
    case 'directory':
  }
  lchownSync(at, header.uid, header.gid)
  lutimesSync(at, header.mtime.seconds, header.mtime.seconds)
}
