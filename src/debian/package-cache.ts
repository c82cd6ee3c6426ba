import { createHash, randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { makeDirectories } from '#linux'

/** A file by its content. */
export interface Content {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** Packages and indexes by digest; several processes may use one directory. */
export interface PackageCache {
  /** Where the files lie, each named by its digest. */
  readonly directory: string
  /** The path of a file that is there whole, by its size; whoever reads it checks the digest. */
  find(content: Content): Promise<string | undefined>
  /**
   * Takes a file's bytes and gives its path. It appears only when its size and digest are right and it is on disk.
   * Throws a `UserError` that calls it `name` for other bytes.
   */
  add(content: Content, bytes: AsyncIterable<Uint8Array>, name: string): Promise<string>
  /** Drops a file that turned out to be damaged. */
  drop(content: Content): Promise<void>
}

/** Temporary files of processes that ended long ago are garbage. */
const abandonedAfter = 24 * 60 * 60 * 1000

/** Opens the cache in a directory, which is made where it does not exist. */
export async function openPackageCache(directory: string): Promise<PackageCache> {
  const files = join(directory, 'sha256')
  const temporary = join(directory, 'partial')
  makeDirectories(files)
  makeDirectories(temporary)
  await removeAbandoned(temporary)
  const place = ({ sha256 }: Content): string => join(files, sha256)
  return {
    directory: files,
    async find(content) {
      const path = place(content)
      const found = await stat(path).catch(() => undefined)
      return found?.isFile() && found.size === content.size ? path : undefined
    },
    async add(content, bytes, name) {
      const path = join(temporary, randomUUID())
      try {
        await write(path, content, bytes, name)
        await rename(path, place(content))
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      return place(content)
    },
    async drop(content) {
      await rm(place(content), { force: true })
    },
  }
}

async function write(path: string, content: Content, bytes: AsyncIterable<Uint8Array>, name: string): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  const file = await open(path, 'wx', 0o644)
  try {
    for await (const chunk of bytes) {
      size += chunk.length
      if (size > content.size) break
      hash.update(chunk)
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten
    }
    if (size !== content.size) throw mismatch(name, `it has ${size > content.size ? 'more' : 'fewer'} bytes`)
    if (hash.digest('hex') !== content.sha256) throw mismatch(name, 'its SHA-256 is another one')
    await file.datasync()
  } finally {
    await file.close()
  }
}

function mismatch(name: string, problem: string): UserError {
  return new UserError(`${name} is not what its repository announced: ${problem}`, {
    hint: 'the mirror may be in the middle of an update; try again later, or use another mirror',
  })
}

async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (found && found.mtimeMs < Date.now() - abandonedAfter) await unlink(path).catch(() => undefined)
  }
}
