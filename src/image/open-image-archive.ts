import { UserError } from '#diagnostics'
import { hostPlatform, type Platform } from '#oci'
import { type ArchiveFiles, type ArchiveFilesOptions, openArchiveFiles } from './archive-files.ts'
import type { ArchivedImage } from './archived-image.ts'
import { readDockerImages } from './read-docker-images.ts'
import { type LayoutChoice, readLayoutImages } from './read-layout-images.ts'

/** An archive that is open until it is disposed; its layers can't be read afterwards. */
export interface ImageArchive extends AsyncDisposable {
  readonly images: readonly ArchivedImage[]
}

export interface OpenArchiveOptions extends ArchiveFilesOptions {
  /** Which image of several for one name; default: that of this machine. */
  readonly platform?: Platform
  /** Only this image of an OCI layout. */
  readonly choice?: LayoutChoice
}

/**
 * Opens what `docker save`, BuildKit, skopeo, podman and we write: an OCI layout as a directory or an archive, or a
 * Docker archive with `manifest.json`; archives compressed by anything, given as a path or a stream. Where it is both,
 * the layout counts. Throws a `UserError` for anything else, for wrong digests, and when no image fits the platform.
 */
export async function openImageArchive(
  source: string | AsyncIterable<Uint8Array>,
  options: OpenArchiveOptions,
): Promise<ImageArchive> {
  const files = await openArchiveFiles(source, options)
  try {
    const images = await readArchivedImages(files, options)
    return { images, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() }
  } catch (error) {
    await files[Symbol.asyncDispose]()
    throw error
  }
}

/** The images of an archive that is open. Throws a `UserError` for what holds none. */
export async function readArchivedImages(
  files: ArchiveFiles,
  { platform = hostPlatform(), choice }: Pick<OpenArchiveOptions, 'platform' | 'choice'>,
): Promise<readonly ArchivedImage[]> {
  if ((await files.has('oci-layout')) && (await files.has('index.json'))) {
    return readLayoutImages(files, platform, choice)
  }
  if (await files.has('manifest.json')) return readDockerImages(files)
  const isOld = await files.has('repositories')
  throw new UserError(`${files.name} is neither an OCI layout nor a Docker image archive`, {
    hint: isOld
      ? 'it comes from a Docker older than 1.10; load and save it with a newer one'
      : 'make one with "docker save", or use "slipway import" for the archive of a root file system',
  })
}
