import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '#oci'

/** What was known of a context's files when they were last read. Only a cache: a damaged one is an empty one. */
export interface StatCache {
  /** Path below the context → what `stat` said then, and the content's digest. */
  readonly files: Map<string, StatCacheEntry>
}

/**
 * Size, inode, mtime and ctime (milliseconds with fraction) as the key; the content's digest, empty for what is no file;
 * 1 where it has extended attributes.
 */
export type StatCacheEntry = readonly [
  size: number,
  inode: number,
  mtimeMs: number,
  ctimeMs: number,
  digest: Digest | '',
  attributed?: 1,
]

/** Rows that become text at once: one text for a million files would take more memory than the map. */
const rowsAtOnce = 4096

function fileOf(root: string, directory: string): string {
  return join(root, 'contexts', createHash('sha256').update(directory).digest('hex').slice(0, 32))
}

/** The cache of a directory given by its real path. */
export function readStatCache(root: string, directory: string): StatCache {
  try {
    const { version, files } = JSON.parse(readFileSync(fileOf(root, directory), 'utf8')) as {
      version: number
      files: [string, ...StatCacheEntry][]
    }
    if (version === 2) return { files: new Map(files.map(([path, ...entry]) => [path, entry])) }
  } catch {
    // Missing or damaged.
  }
  return { files: new Map() }
}

/** Replaces the cache of a directory. `temporary` is a fresh path on the store's file system. */
export function writeStatCache(
  root: string,
  directory: string,
  { cache, temporary }: { readonly cache: StatCache; readonly temporary: string },
): void {
  mkdirSync(join(root, 'contexts'), { recursive: true })
  const fd = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(fd, '{"version":2,"files":[')
    let rows: unknown[] = []
    let separator = ''
    const flush = (): void => {
      if (rows.length > 0) writeFileSync(fd, separator + JSON.stringify(rows).slice(1, -1))
      separator = ','
      rows = []
    }
    for (const [path, entry] of cache.files) if (rows.push([path, ...entry]) === rowsAtOnce) flush()
    flush()
    writeSync(fd, ']}')
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, fileOf(root, directory))
}
