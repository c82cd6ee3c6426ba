import { parseDigest } from '#oci'
import type { Store } from '#store'
import { type Entry, mergeLayers, type Tree } from '#tree'
import { openArchive } from './archive.ts'
import { parseGitUrl } from './git-url.ts'
import type { Remote } from './remote.ts'
import { readAddress } from './remote-context.ts'

/**
 * When what an address names was last changed, in seconds since 1970: a git commit by its own time, an archive by its
 * newest file, anything else by what the server says (section 15.4 of the language page). Undefined where nobody says.
 * Throws as `Remote` does.
 */
export async function remoteTime(
  { store, remote }: { readonly store: Store; readonly remote: Remote },
  address: string,
  checksum?: string,
): Promise<number | undefined> {
  const { git, whole } = readAddress(address)
  if (git) {
    const source = parseGitUrl(whole)
    return (await remote.git({ ...source, ...(checksum !== undefined && { checksum }) })).time
  }
  const file = await remote.file(whole, checksum === undefined ? {} : { checksum: parseDigest(checksum) })
  const entry: Entry = {
    path: new URL(whole).host,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: file.size,
    mtime: { seconds: 0, nanoseconds: 0 },
    source: { kind: 'file', path: file.path },
    content: file.digest,
  }
  const archive = await openArchive(store, entry)
  const newest = archive && newestFile(mergeLayers([await archive.members()]))
  return newest ?? file.modified
}

/** The time of the newest file of a tree, in whole seconds since 1970; undefined where there is no file. */
export function newestFile(tree: Tree): number | undefined {
  let newest: number | undefined
  const directories = ['']
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const name of tree.list(directory)) {
      const path = directory === '' ? name : `${directory}/${name}`
      const entry = tree.get(path)
      if (entry?.type === 'directory') directories.push(path)
      else if (entry?.type === 'file' && entry.mtime.seconds > (newest ?? -1)) newest = entry.mtime.seconds
    }
  }
  return newest
}
