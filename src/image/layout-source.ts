import {
  type Descriptor,
  digestHex,
  digestOf,
  isDigest,
  type ManifestBytes,
  parseImageIndex,
  parseManifestOrIndex,
} from '#oci'
import { type ArchiveFiles, type ArchiveFilesOptions, openArchiveFiles } from './archive-files.ts'
import { chooseEntries, type LayoutChoice } from './read-layout-images.ts'
import type { ImageSource } from './remote-image.ts'
import { verified } from './verified.ts'

/** An OCI layout, a directory or an archive, to read manifests and blobs from as they are. */
export interface LayoutSource extends ImageSource, AsyncDisposable {
  /** What `index.json` has under a name; several where each is for another platform. Throws a `UserError` where there is none. */
  choose(choice: LayoutChoice): Promise<readonly ManifestBytes[]>
}

/** Opens one; a compressed archive is unpacked into `scratch` first. Throws a `UserError` for what is none. */
export async function openLayoutSource(path: string, options: ArchiveFilesOptions): Promise<LayoutSource> {
  return layoutSource(await openArchiveFiles(path, options))
}

/** The same for files that are open already; disposing closes them. */
export function layoutSource(files: ArchiveFiles): LayoutSource {
  const manifest = (descriptor: Pick<Descriptor, 'digest'>) => readManifest(files, descriptor)
  return {
    async choose(choice) {
      const { manifests } = parseImageIndex((await files.readSmall('index.json')).toString())
      const entries = await chooseEntries(files, manifests, choice)
      return Promise.all([...new Map(entries.map(entry => [entry.digest, entry])).values()].map(manifest))
    },
    async resolve(name) {
      if (isDigest(name)) return (await files.has(blobPath({ digest: name }))) ? manifest({ digest: name }) : undefined
      const { manifests } = parseImageIndex((await files.readSmall('index.json')).toString())
      const [entry] = await chooseEntries(files, manifests, { tag: name })
      return entry && manifest(entry)
    },
    read: ({ digest, size }) =>
      verified(files.read(blobPath({ digest })), { digest, size, what: `${files.name}, blob ${digest}` }),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  }
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${digestHex(digest)}`
}

async function readManifest(files: ArchiveFiles, { digest }: Pick<Descriptor, 'digest'>): Promise<ManifestBytes> {
  const path = blobPath({ digest })
  const parts: Uint8Array[] = []
  const whole = await files.readSmall(path)
  const what = `${files.name}, manifest ${digest}`
  for await (const part of verified(once(whole), { digest, what })) parts.push(part)
  const { value } = parseManifestOrIndex(whole.toString('utf8'))
  return { descriptor: { mediaType: value.mediaType, digest: digestOf(whole), size: whole.length }, bytes: whole }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
