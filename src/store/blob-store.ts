import { createReadStream, existsSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { type Blobs, type Descriptor, type Digest, digestHex, digestOf, Sha256 } from '#oci'

/** Bytes by digest on disk. */
export interface BlobStore extends Blobs {
  /** Where a blob is or would be. */
  path(digest: Digest): string
  /** Whether a blob of that digest is there. */
  exists(digest: Digest): boolean
  /** Starts a blob whose digest is not known yet. */
  begin(): Promise<BlobWriter>
  /** Stores bytes in memory and returns their digest. */
  put(bytes: Uint8Array): Promise<Digest>
  /** A whole small blob (a configuration, a manifest), verified. */
  get(digest: Digest): Promise<Buffer>
  remove(digest: Digest): Promise<void>
}

/** A blob being written; nothing is visible before `commit`. */
export interface BlobWriter extends AsyncDisposable {
  /** Temporary path, for a reader that may not wait. */
  readonly path: string
  write(bytes: Uint8Array): Promise<void>
  /** The digest of what was written so far. */
  digestNow(): Digest
  /** Makes the blob visible and returns what it is. Throws a `UserError`, and keeps nothing, when it is not `expected`. */
  commit(expected?: Descriptor): Promise<{ readonly digest: Digest; readonly size: number }>
}

/** Blobs below `root`, written through `temporary()` paths on the same file system. */
export function openBlobStore(root: string, temporary: (name: string) => Promise<string>): BlobStore {
  const path = (digest: Digest): string => join(root, 'sha256', digestHex(digest))
  const begin = (): Promise<BlobWriter> => beginBlob(path, temporary)

  return {
    path,
    exists: digest => existsSync(path(digest)),
    has: async descriptor => statSync(path(descriptor.digest), { throwIfNoEntry: false })?.size === descriptor.size,
    read: descriptor => readVerified(path(descriptor.digest), descriptor),
    begin,
    write: async (descriptor, bytes) => {
      await using writer = await begin()
      for await (const chunk of bytes) await writer.write(chunk)
      await writer.commit(descriptor)
    },
    put: async bytes => {
      const digest = digestOf(bytes)
      if (!existsSync(path(digest))) {
        await using writer = await begin()
        await writer.write(bytes)
        await writer.commit()
      }
      return digest
    },
    get: async digest => {
      const bytes = await readFile(path(digest))
      if (digestOf(bytes) !== digest) throw damaged(path(digest))
      return bytes
    },
    remove: digest => rm(path(digest), { force: true }),
  }
}

async function beginBlob(
  pathOf: (digest: Digest) => string,
  temporary: (name: string) => Promise<string>,
): Promise<BlobWriter> {
  const path = await temporary('blob')
  const file = await open(path, 'wx', 0o644)
  const hash = new Sha256()
  let committed = false
  return {
    path,
    write: async bytes => {
      const writing = writeAll(file, bytes)
      // Hashed here while another thread writes.
      hash.update(bytes)
      await writing
    },
    digestNow: () => hash.digest(),
    commit: async expected => {
      const result = { digest: hash.digest(), size: hash.size }
      if (expected && (expected.digest !== result.digest || expected.size !== result.size))
        throw mismatch(expected, result.digest, result.size)
      await file.close()
      const final = pathOf(result.digest)
      await mkdir(join(final, '..'), { recursive: true })
      await rename(path, final)
      committed = true
      return result
    },
    [Symbol.asyncDispose]: async () => {
      if (committed) return
      await file.close().catch(() => undefined)
      await rm(path, { force: true })
    },
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

async function* readVerified(path: string, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const hash = new Sha256()
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    hash.update(chunk)
    yield chunk
  }
  if (hash.size !== size || hash.digest() !== digest) throw damaged(path)
}

function damaged(path: string): UserError {
  return new UserError(`the store is damaged: ${path} does not have the content its name promises`, {
    hint: 'remove that file and build again; check the disk',
  })
}

function mismatch(descriptor: Descriptor, digest: Digest, size: number): UserError {
  return new UserError(
    `content does not match its digest: expected ${descriptor.digest} (${descriptor.size} bytes), got ${digest} (${size} bytes)`,
    {
      hint: 'the download or the archive is damaged; fetch it again',
    },
  )
}
