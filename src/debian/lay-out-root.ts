import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { RootDirectory } from './root-directory.ts'
import type { DirectoryAttributes } from './unpack-package.ts'

/** Where programs look for their loader, besides `/lib`. */
const libraryDirectories: Readonly<Record<string, readonly string[]>> = {
  amd64: ['lib64'],
  loong64: ['lib64'],
  mips64el: ['lib64'],
  ppc64el: ['lib64'],
}

/**
 * Makes the links of a merged /usr (`/bin` → `usr/bin` and so on), as every release since Debian 12 needs them and earlier
 * ones can have them. Packages are unpacked through them.
 */
export function makeMergedUsr(root: string, architecture: string): void {
  mkdirSync(join(root, 'usr'), { mode: 0o755 })
  for (const name of ['bin', 'sbin', 'lib', ...(libraryDirectories[architecture] ?? [])]) {
    mkdirSync(join(root, 'usr', name), { mode: 0o755 })
    symlinkSync(`usr/${name}`, join(root, name))
  }
}

/** Links that maintainer scripts make, but that the first scripts need already. */
const early = [
  { link: 'usr/bin/sh', targets: ['dash', 'bash'] },
  { link: 'usr/bin/awk', targets: ['mawk', 'original-awk', 'gawk'] },
] as const

/** Makes a shell and an awk under their usual names where no package brings them itself. */
export function makeEarlyLinks(root: RootDirectory): void {
  for (const { link, targets } of early) {
    const place = root.place(link)
    if (root.found(place) !== 'nothing') continue
    const target = targets.find(name => root.found(root.place(`usr/bin/${name}`)) !== 'nothing')
    if (target !== undefined) symlinkSync(target, root.at(place))
  }
}

/** Gives directories the owner and mode that packages want. */
export function applyDirectoryAttributes(
  root: RootDirectory,
  directories: ReadonlyMap<string, DirectoryAttributes>,
): void {
  for (const [place, { header }] of directories) {
    chownSync(root.at(place), header.uid, header.gid)
    chmodSync(root.at(place), header.mode & 0o7777)
  }
}
