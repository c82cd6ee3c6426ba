import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import {
  type Descriptor,
  type Digest,
  digestHex,
  digestOf,
  formatReference,
  parseImageConfig,
  parseImageIndex,
  parseManifestOrIndex,
  parseReference,
  type Platform,
  type Reference,
  type ImageManifest,
} from '#oci'
import type { ArchiveFiles } from './archive-files.ts'
import type { ArchivedImage, ArchivedLayer } from './archived-image.ts'
import { choosePlatform, isAttestation } from './choose-platform.ts'
import { verified } from './verified.ts'

/** One image of a layout. With neither: the tag `latest`, or the only image there is. */
export interface LayoutChoice {
  /** Of a manifest or an index. */
  readonly digest?: Digest
  readonly tag?: string
}

const depthLimit = 4
const entryLimit = 1000

/**
 * The images of an OCI layout (image-spec, image-layout.md): for each name in `index.json` the one for `platform`, and
 * each one without a name. Entries for the same image are one image with several names.
 */
export async function readLayoutImages(
  files: ArchiveFiles,
  platform: Platform,
  choice?: LayoutChoice,
): Promise<readonly ArchivedImage[]> {
  const { manifests: all } = parseImageIndex((await files.readSmall('index.json')).toString())
  const manifests = choice ? await chooseEntries(files, all, choice) : all
  const groups = new Map<string, { readonly reference: Reference | undefined; readonly entries: Descriptor[] }>()
  for (const entry of manifests.slice(0, entryLimit)) {
    if (isAttestation(entry)) continue
    const reference = referenceOf(entry)
    const key = reference === undefined ? entry.digest : formatReference(reference)
    const group = groups.get(key) ?? { reference, entries: [] }
    group.entries.push(entry)
    groups.set(key, group)
  }
  const images = new Map<string, { readonly image: ArchivedImage; readonly references: Reference[] }>()
  for (const { reference, entries } of groups.values()) {
    const chosen = choosePlatform(files.name, entries, platform)
    const { digest, manifest } = await manifestOf(files, chosen, platform)
    const found = images.get(digest) ?? { image: await readImage(files, manifest), references: [] }
    if (reference !== undefined) found.references.push(reference)
    images.set(digest, found)
  }
  return [...images.values()].map(({ image, references }) => ({ ...image, references }))
}

/** By digest, also of what an index in the layout names; by tag; else the tag `latest`, or the only image there is. */
export async function chooseEntries(
  files: ArchiveFiles,
  all: readonly Descriptor[],
  { digest, tag }: LayoutChoice,
): Promise<readonly Descriptor[]> {
  if (digest !== undefined) {
    const listed = all.filter(entry => entry.digest === digest)
    if (listed.length > 0) return listed
    const path = `blobs/sha256/${digestHex(digest)}`
    if (!(await files.has(path))) throw notInLayout(files, all, digest)
    return [{ mediaType: '', digest, size: (await files.readSmall(path)).length }]
  }
  const named = all.filter(entry => tagOf(entry) === (tag ?? 'latest'))
  if (named.length > 0) return named
  const images = new Set(all.filter(entry => !isAttestation(entry)).map(entry => entry.digest))
  if (tag === undefined && images.size === 1) return all
  throw notInLayout(files, all, `the tag ${tag ?? 'latest'}`)
}

function tagOf(entry: Descriptor): string | undefined {
  return referenceOf(entry)?.tag ?? entry.annotations?.['org.opencontainers.image.ref.name']
}

function notInLayout({ name }: ArchiveFiles, all: readonly Descriptor[], what: string): UserError {
  const there = [...new Set(all.map(entry => tagOf(entry) ?? entry.digest))]
  return new UserError(`${name} does not have ${what}`, {
    hint: `it has: ${there.slice(0, 12).join(', ') || 'nothing'}`,
  })
}

/** The whole name where containerd or BuildKit wrote it, or where podman wrote it into the annotation for a tag. */
function referenceOf({ annotations = {} }: Descriptor): Reference | undefined {
  const full = annotations['io.containerd.image.name']
  if (full !== undefined) return parseReference(full)
  const name = annotations['org.opencontainers.image.ref.name']
  return name !== undefined && /[/:]/.test(name) ? parseReference(name) : undefined
}

async function manifestOf(
  files: ArchiveFiles,
  start: Descriptor,
  platform: Platform,
): Promise<{ digest: string; manifest: ImageManifest }> {
  let descriptor = start
  for (let depth = 0; depth < depthLimit; depth++) {
    const found = parseManifestOrIndex((await readBlob(files, descriptor)).toString())
    if (found.kind === 'manifest') return { digest: descriptor.digest, manifest: found.value }
    descriptor = choosePlatform(
      files.name,
      found.value.manifests.filter(entry => !isAttestation(entry)),
      platform,
    )
  }
  throw new UserError(`${files.name} has indexes inside of indexes, more than ${depthLimit} deep`, {
    hint: 'it is not an image layout that any tool writes',
  })
}

async function readImage(files: ArchiveFiles, manifest: ImageManifest): Promise<ArchivedImage> {
  const config = await readBlob(files, manifest.config)
  const diffIds = parseImageConfig(config.toString()).rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length) {
    throw new UserError(
      `${files.name}: a manifest has ${manifest.layers.length} layers, its configuration ${diffIds.length}`,
      { hint: 'it is not a container image, or damaged' },
    )
  }
  const layers = manifest.layers.map((layer, i): ArchivedLayer => {
    const diffId = diffIds[i] as ArchivedLayer['diffId']
    const what = `${files.name}, layer ${layer.digest}`
    const stored = () => verified(files.read(blobPath(layer)), { digest: layer.digest, size: layer.size, what })
    return {
      mediaType: layer.mediaType,
      diffId,
      open: () => verified(decompress(stored(), { name: what }), { digest: diffId, what: `${what}, uncompressed,` }),
    }
  })
  return { references: [], config, layers }
}

/** A manifest, index or configuration, verified. */
async function readBlob(files: ArchiveFiles, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await files.readSmall(blobPath(descriptor))
  const digest = digestOf(bytes)
  if (digest === descriptor.digest && bytes.length === descriptor.size) return bytes
  throw new UserError(
    `${files.name}: ${blobPath(descriptor)} has ${bytes.length} bytes and digest ${digest}, not ${descriptor.size} bytes`,
    { hint: 'the archive is damaged; make or fetch it again' },
  )
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/sha256/${digestHex(digest)}`
}
