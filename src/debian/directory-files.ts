import {
  chmodSync,
  chownSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { decodeName } from '#tar'
import { UserError } from '#diagnostics'
import type { RootDirectory } from './root-directory.ts'
import type { FileAttributes, RootFiles } from './root-files.ts'

/** A system on disk. `epoch`: seconds since 1970, the time of what is made. */
export function createDirectoryFiles(root: RootDirectory, epoch: number): RootFiles {
  /** Where to make something that is no directory; what was there is gone. */
  const free = (path: string): string | Buffer => {
    const place = root.place(path)
    if (root.found(place) === 'directory') {
      throw new UserError(`/${path} is a directory`, { hint: 'choose another path' })
    }
    rmSync(root.at(place), { force: true })
    return root.at(place)
  }
  const own = (at: string | Buffer, { mode, uid, gid }: FileAttributes): void => {
    chownSync(at, uid, gid)
    chmodSync(at, mode)
  }
  const existing = (path: string): string | undefined => root.existing(path)
  return {
    found(path) {
      const place = existing(path)
      return place === undefined ? 'nothing' : root.found(place)
    },
    list(path) {
      const place = existing(path)
      if (place === undefined) return []
      const directory = root.directoryPlace(path)
      return readdirSync(root.at(directory), { encoding: 'buffer' }).map(decodeName).sort()
    },
    read(path) {
      const place = root.realFile(path)
      return place === undefined ? undefined : readFileSync(root.at(place))
    },
    target(path) {
      const place = existing(path)
      return place !== undefined && root.found(place) === 'symlink' ? readlinkSync(root.at(place), 'utf8') : undefined
    },
    write(path, bytes, attributes) {
      const at = free(path)
      writeFileSync(at, bytes, { flag: 'wx' })
      own(at, attributes)
      utimesSync(at, epoch, epoch)
    },
    makeDirectory(path, attributes) {
      const place = root.directoryPlace(path)
      if (root.found(place) === 'other') {
        throw new UserError(`/${path} is not a directory`, { hint: 'choose another path' })
      }
      if (root.found(place) === 'nothing') mkdirSync(root.at(place))
      own(root.at(place), attributes)
      utimesSync(root.at(place), epoch, epoch)
    },
    link(path, target) {
      const at = free(path)
      symlinkSync(target, at)
      lchownSync(at, 0, 0)
      lutimesSync(at, epoch, epoch)
    },
    remove(path) {
      const place = existing(path)
      if (place !== undefined) rmSync(root.at(place), { recursive: true })
    },
  }
}
