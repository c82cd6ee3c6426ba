import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Digest } from '#oci'

/**
 * What the last builds were made from, so that a miss can be explained. It decides about nothing: what is lost here only
 * makes an explanation shorter.
 */
export interface LastBuilds {
  /** What was written last about a subject; undefined when nothing was, or it cannot be read. */
  read(subject: string): string | undefined
  write(subject: string, text: string): Promise<void>
  /** A list of files by the digest of what it lists. */
  readListing(digest: Digest): string | undefined
  /** Keeps a listing; `text` is asked for only where it is not there yet. */
  keepListing(digest: Digest, text: () => string): Promise<void>
  /** Removes what was not used since `before` (milliseconds since 1970). */
  prune(before: number): Promise<void>
}

/** Says when a listing was used, but not with every build. */
const dayMs = 86_400_000

export function openLastBuilds(
  root: string,
  { temporary, now }: { readonly temporary: (name: string) => Promise<string>; readonly now: () => number },
): LastBuilds {
  const builds = join(root, 'builds')
  const listings = join(root, 'listings')
  const subjectPath = (subject: string): string => join(builds, createHash('sha256').update(subject).digest('hex'))
  const listingPath = (digest: Digest): string => join(listings, digest.slice(digest.indexOf(':') + 1))
  const replace = async (folder: string, path: string, bytes: Uint8Array): Promise<void> => {
    const fresh = await temporary('last-build')
    await writeFile(fresh, bytes, { mode: 0o600 })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await rename(fresh, path)
  }
  const read = (path: string, decode: (bytes: Buffer) => Buffer): string | undefined => {
    try {
      return decode(readFileSync(path)).toString('utf8')
    } catch {
      return undefined
    }
  }
  return {
    // Every build reads one: as it is, so that none has to load a decompressor.
    read: subject => read(subjectPath(subject), bytes => bytes),
    write: (subject, text) => replace(builds, subjectPath(subject), Buffer.from(text)),
    readListing: digest => read(listingPath(digest), zstdDecompressSync),
    keepListing: async (digest, text) => {
      const path = listingPath(digest)
      const known = statSync(path, { throwIfNoEntry: false })
      if (!known) return replace(listings, path, zstdCompressSync(text()))
      const used = now()
      // Another process may have removed it meanwhile.
      if (used - known.mtimeMs > dayMs) await utimes(path, used / 1000, used / 1000).catch(() => {})
    },
    prune: async before => {
      for (const folder of [builds, listings]) {
        for (const name of existsSync(folder) ? await readdir(folder) : []) {
          const path = join(folder, name)
          const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs
          if (used !== undefined && used < before) await rm(path, { force: true })
        }
      }
    },
  }
}
