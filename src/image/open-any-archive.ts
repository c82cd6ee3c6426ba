import { hostPlatform, type Platform } from '#oci'
import { type ArchiveFilesOptions, openArchiveFiles } from './archive-files.ts'
import type { ArchivedImage } from './archived-image.ts'
import { type LayoutSource, layoutSource } from './layout-source.ts'
import { readArchivedImages } from './open-image-archive.ts'

/** An archive or a layout, as what it turned out to be. */
export type AnyArchive = AsyncDisposable &
  (
    | { readonly kind: 'layout'; readonly source: LayoutSource }
    /** What has no manifests of its own. */
    | { readonly kind: 'docker'; readonly images: readonly ArchivedImage[] }
  )

export interface AnyArchiveOptions extends ArchiveFilesOptions {
  /** Default: that of this machine. */
  readonly platform?: Platform
}

/** Opens a path whose kind nobody told. Where it is both, the layout counts. Throws a `UserError` for what is neither. */
export async function openAnyArchive(
  path: string,
  { platform = hostPlatform(), ...options }: AnyArchiveOptions,
): Promise<AnyArchive> {
  const files = await openArchiveFiles(path, options)
  try {
    const dispose = () => files[Symbol.asyncDispose]()
    if ((await files.has('oci-layout')) && (await files.has('index.json'))) {
      return { kind: 'layout', source: layoutSource(files), [Symbol.asyncDispose]: dispose }
    }
    const images = await readArchivedImages(files, { platform })
    return { kind: 'docker', images, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await files[Symbol.asyncDispose]()
    throw error
  }
}
