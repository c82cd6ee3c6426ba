import type { Blobs, Descriptor, Manifests } from '#oci'
import type { Repository } from '#registry'
import { type TarInput, writeTar } from '#tar'
import type { ImageContent } from './collect-manifests.ts'
import { encodeIndex, layoutVersion } from './layout-blobs.ts'
import { archiveDirectory, archiveFile, blobMember } from './oci-archive.ts'
import type { ImageSource } from './remote-image.ts'

export interface CopyContentOptions {
  readonly from: ImageSource
  /** A registry's repository, or a layout. */
  readonly to: (Blobs & Manifests) | Repository
  /** Empty: only the digest names it. */
  readonly tags: readonly string[]
  /** Another repository of the same registry that has the blobs. */
  readonly mountFrom?: string
  readonly report?: (label: string, done: number, total?: number) => void
  readonly signal: AbortSignal
}

const atOnce = 4

/**
 * Copies an image as it is, byte by byte: first blobs, several at a time, none that is there; then manifests, and the tags at last. Between
 * registries bytes stream from one to the other.
 */
export async function copyContent(
  { manifests, blobs }: ImageContent,
  options: CopyContentOptions,
): Promise<Descriptor> {
  const { to, tags, signal } = options
  const waiting = [...blobs]
  const work = async (): Promise<void> => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
      signal.throwIfAborted()
      try {
        await copyBlob(blob, options)
      } catch (error) {
        waiting.length = 0
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, work))
  const last = manifests.at(-1)
  for (const { descriptor, bytes } of manifests.slice(0, -1)) {
    await to.publish({ mediaType: descriptor.mediaType, bytes })
  }
  if (last === undefined) throw new Error('an image has at least one manifest')
  for (const tag of tags.length === 0 ? [undefined] : tags) {
    await to.publish({ mediaType: last.descriptor.mediaType, bytes: last.bytes }, tag)
  }
  return last.descriptor
}

async function copyBlob(blob: Descriptor, { from, to, mountFrom, report }: CopyContentOptions): Promise<void> {
  if (await to.has(blob)) return
  if (mountFrom !== undefined && 'mount' in to && (await to.mount(blob, mountFrom))) return
  const label = blob.digest.slice('sha256:'.length, 'sha256:'.length + 12)
  const bytes = () => counted(from.read(blob), done => report?.(label, done, blob.size))
  await ('upload' in to ? to.upload(bytes, blob) : to.write(blob, bytes()))
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0
  onBytes(0)
  for await (const bytes of source) {
    done += bytes.length
    yield bytes
    onBytes(done)
  }
}

/** An image as it is in an archive with an OCI layout, under a tag where one is given. */
export function writeContentArchive(
  { manifests, blobs }: ImageContent,
  { from, tag }: { readonly from: ImageSource; readonly tag?: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  function* members(): Generator<TarInput> {
    yield archiveDirectory('blobs')
    yield archiveDirectory('blobs/sha256')
    for (const blob of blobs) yield blobMember(blob, from.read(blob))
    for (const { descriptor, bytes } of manifests) yield blobMember(descriptor, [bytes])
    const last = manifests.at(-1)
    const annotations = tag === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } }
    yield archiveFile('index.json', encodeIndex(last ? [{ ...last.descriptor, ...annotations }] : []))
    yield archiveFile('oci-layout', layoutVersion)
  }
  return writeTar(asynchronous(members()))
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
