import { createReadStream } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { chmod, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { lockFile, makeDirectories } from '#linux'
import {
  type Blobs,
  type Descriptor,
  type Digest,
  digestHex,
  digestOf,
  isDigest,
  type Manifests,
  mediaTypes,
  parseImageIndex,
  parseManifestOrIndex,
  Sha256,
} from '#oci'
import { addToIndex } from './layout.ts'
import { layoutVersion } from './layout-blobs.ts'
import { verified } from './verified.ts'

/** A directory with an OCI image layout, as a repository: blobs, and manifests by tag. */
export interface LayoutRepository extends Blobs, Manifests {
  /** Stores a blob of which nothing is known before it ends. */
  upload(source: () => AsyncIterable<Uint8Array>): Promise<{ readonly digest: Digest; readonly size: number }>
}

const tagKey = 'org.opencontainers.image.ref.name'
/** Bytes of a manifest or an index. */
const manifestLimit = 8 << 20

/**
 * An OCI image layout (image-spec, image-layout.md) as blobs and manifests. It is made when something is first written; every blob
 * appears whole, and `index.json` names only what is complete. Reading one that is not there finds nothing.
 */
export function openLayoutRepository(directory: string): LayoutRepository {
  const path = (digest: Digest): string => join(directory, 'blobs', 'sha256', digestHex(digest))
  const upload = async (source: () => AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }> => {
    await begin(directory)
    const temporary = join(directory, 'blobs', `.incoming-${randomUUID()}`)
    const hash = new Sha256()
    try {
      await using file = await open(temporary, 'wx', 0o644)
      for await (const chunk of source()) {
        hash.update(chunk)
        for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten
      }
      await file.datasync()
      await rename(temporary, path(hash.digest()))
      return { digest: hash.digest(), size: hash.size }
    } finally {
      await rm(temporary, { force: true })
    }
  }
  const write = async ({ digest, size }: Descriptor, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    await upload(() => verified(bytes, { digest, size, what: `blob ${digest}` }))
  }
  return {
    has: async ({ digest, size }) => (await sizeOf(path(digest))) === size,
    read: ({ digest, size }) => readBlob(path(digest), { digest, size, what: `${directory}, blob ${digest}` }),
    write,
    upload,
    resolve: async name => {
      const digest = isDigest(name) ? name : await taggedDigest(directory, name)
      if (digest === undefined || (await sizeOf(path(digest))) === undefined) return undefined
      return readManifest(path(digest), digest)
    },
    publish: async ({ mediaType, bytes }, tag) => {
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
      await write(descriptor, once(bytes))
      using _ = await lockFile(join(directory, 'oci-layout'), 'exclusive')
      const entry = tag === undefined ? descriptor : { ...descriptor, annotations: { [tagKey]: tag } }
      await addToIndex(join(directory, 'index.json'), [entry])
      return descriptor
    },
  }
}

async function begin(directory: string): Promise<void> {
  const version = join(directory, 'oci-layout')
  makeDirectories(join(directory, 'blobs', 'sha256'))
  if (((await sizeOf(version)) ?? 0) > 0) return
  using _ = await lockFile(version, 'exclusive')
  if ((await stat(version)).size > 0) return
  await chmod(version, 0o644)
  await writeFile(version, layoutVersion)
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  return found?.isFile() === true ? found.size : undefined
}

async function* readBlob(path: string, expected: Parameters<typeof verified>[1]): AsyncGenerator<Uint8Array> {
  if ((await sizeOf(path)) === undefined) {
    throw new UserError(`${expected.what} is not there`, { hint: 'the layout is not complete; make it again' })
  }
  yield* verified(createReadStream(path, { highWaterMark: 1 << 20 }), expected)
}

async function taggedDigest(directory: string, tag: string): Promise<Digest | undefined> {
  const path = join(directory, 'index.json')
  const size = await sizeOf(path)
  if (size === undefined || size > manifestLimit) return undefined
  const { manifests } = parseImageIndex(await readFile(path, 'utf8'))
  return manifests.findLast(entry => entry.annotations?.[tagKey] === tag)?.digest
}

async function readManifest(path: string, digest: Digest) {
  const size = (await sizeOf(path)) ?? 0
  if (size > manifestLimit) {
    throw new UserError(`${path} has ${size} bytes, too many for a manifest`, { hint: 'it is no image layout' })
  }
  const bytes = await readFile(path)
  if (digestOf(bytes) !== digest) {
    throw new UserError(`${path} does not have the content that its name promises`, {
      hint: 'the layout is damaged; make it again',
    })
  }
  const { kind, value } = parseManifestOrIndex(bytes.toString())
  const mediaType = value.mediaType || (kind === 'index' ? mediaTypes.ociIndex : mediaTypes.ociManifest)
  return { descriptor: { mediaType, digest, size }, bytes }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
