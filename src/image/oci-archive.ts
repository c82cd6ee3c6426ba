import { type Descriptor, digestHex, digestOf } from '#oci'
import { type TarInput, writeTar } from '#tar'
import type { ExportedImage } from './exported-image.ts'
import {
  encodeIndex,
  indexEntries,
  layoutBlobs,
  type LayoutOptions,
  layoutVersion,
  repositoryTags,
} from './layout-blobs.ts'

export interface ArchiveOptions extends LayoutOptions {
  /** Called with the descriptors of the manifests, in the order of the images, once they are known. */
  onManifests?(manifests: readonly Descriptor[]): void
}

/**
 * An OCI image layout as a tar archive (image-spec, image-layout.md), as `--output type=oci` of BuildKit, `skopeo copy
 * … oci-archive:` and `podman load` know it. Each blob is there once; the same images, options and compression library
 * give the same bytes. Throws what a layer's source throws, and a `UserError` when a layer isn't what its diff id says.
 */
export function writeOciArchive(
  images: readonly ExportedImage[],
  options: ArchiveOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  return writeTar(members(images, options, []))
}

/**
 * An archive for `docker load` (every version with a `manifest.json`, from 1.10), `podman load` and `skopeo copy
 * docker-archive:`. Layers are stored uncompressed, under their diff ids. It is an OCI layout as well, as BuildKit and
 * current engines write it. Deterministic and throwing as `writeOciArchive`.
 */
export function writeDockerArchive(
  images: readonly ExportedImage[],
  options: Pick<ArchiveOptions, 'onManifests'> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const manifest = images.map(image => {
    const tags = repositoryTags(image.references)
    return {
      Config: blobPath(digestHex(digestOf(image.config))),
      RepoTags: tags.length === 0 ? null : tags,
      Layers: image.layers.map(layer => blobPath(digestHex(layer.diffId))),
    }
  })
  const extra = archiveFile('manifest.json', Buffer.from(JSON.stringify(manifest)))
  return writeTar(members(images, { ...options, compression: 'none', scratch: '' }, [extra]))
}

async function* members(
  images: readonly ExportedImage[],
  options: ArchiveOptions,
  extra: readonly TarInput[],
): AsyncGenerator<TarInput, void, undefined> {
  yield archiveDirectory('blobs')
  yield archiveDirectory('blobs/sha256')
  const blobs = layoutBlobs(images, options)
  try {
    for (let next = await blobs.next(); ; next = await blobs.next()) {
      if (next.done === true) {
        options.onManifests?.(next.value)
        yield archiveFile('index.json', encodeIndex(indexEntries(images, next.value, options.group)))
        break
      }
      const { digest, size } = next.value
      yield blobMember({ digest, size }, next.value.open())
    }
  } finally {
    await blobs.return([])
  }
  yield* extra
  yield archiveFile('oci-layout', layoutVersion)
}

function blobPath(hex: string): string {
  return `blobs/sha256/${hex}`
}

function header(path: string, size: number) {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtime: { seconds: 0, nanoseconds: 0 } } as const
}

/** A small file of an archive. */
export function archiveFile(path: string, bytes: Uint8Array): TarInput {
  return { header: header(path, bytes.length), content: [bytes] }
}

export function archiveDirectory(path: string): TarInput {
  return { header: { ...header(path, 0), type: 'directory', mode: 0o755 } }
}

/** A blob of an archive. */
export function blobMember(
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  content: NonNullable<TarInput['content']>,
): TarInput {
  return { header: header(blobPath(digestHex(digest)), size), content }
}
