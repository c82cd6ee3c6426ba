import { UserError } from '#diagnostics'
import { type Descriptor, type ManifestBytes, parseManifestOrIndex, type Platform } from '#oci'
import { choosePlatform, isAttestation } from './choose-platform.ts'
import type { ImageSource } from './remote-image.ts'

/** Everything that an image is made of. */
export interface ImageContent {
  /** Those that another one names come before it; the last is the image itself. */
  readonly manifests: readonly ManifestBytes[]
  /** Configurations and layers, each once. */
  readonly blobs: readonly Descriptor[]
}

export interface CollectOptions {
  /** How errors call the image. */
  readonly what: string
  /** Only the manifest for this platform, out of its index. Absent: everything. */
  readonly platform?: Platform
}

const depthLimit = 4
const manifestLimit = 1000

/** Follows an image's manifests, byte by byte as they are. Throws a `UserError` where one is missing. */
export async function collectManifests(
  source: ImageSource,
  top: ManifestBytes,
  { what, platform }: CollectOptions,
): Promise<ImageContent> {
  const manifests = new Map<string, ManifestBytes>()
  const blobs = new Map<string, Descriptor>()
  const named = async (descriptor: Descriptor): Promise<ManifestBytes> => {
    const found = await source.resolve(descriptor.digest)
    if (found !== undefined) return found
    throw new UserError(`${what} names the manifest ${descriptor.digest}, which is not there`, {
      hint: 'the image is not complete; copy one platform with --platform, or push it again',
    })
  }
  const visit = async (current: ManifestBytes, depth: number): Promise<void> => {
    if (depth > depthLimit || manifests.size > manifestLimit) {
      throw new UserError(`${what} has too many indexes inside of indexes`, { hint: 'no tool writes such an image' })
    }
    const found = parseManifestOrIndex(Buffer.from(current.bytes).toString('utf8'))
    if (found.kind === 'manifest') {
      for (const blob of [found.value.config, ...found.value.layers]) if (!isForeign(blob)) blobs.set(blob.digest, blob)
    } else {
      for (const entry of found.value.manifests) {
        if (!manifests.has(entry.digest)) await visit(await named(entry), depth + 1)
      }
    }
    manifests.set(current.descriptor.digest, current)
  }
  await visit(platform === undefined ? top : await forPlatform(top, { what, platform, named }), 0)
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] }
}

async function forPlatform(
  top: ManifestBytes,
  { what, platform, named }: { what: string; platform: Platform; named: (entry: Descriptor) => Promise<ManifestBytes> },
): Promise<ManifestBytes> {
  let current = top
  for (let depth = 0; depth <= depthLimit; depth++) {
    const found = parseManifestOrIndex(Buffer.from(current.bytes).toString('utf8'))
    if (found.kind === 'manifest') return current
    current = await named(
      choosePlatform(
        what,
        found.value.manifests.filter(entry => !isAttestation(entry)),
        platform,
      ),
    )
  }
  return current
}

/** Layers that must not be passed on and are had from their own addresses (image-spec, layer.md "Non-distributable Layers"). */
function isForeign({ mediaType }: Descriptor): boolean {
  return /nondistributable|\.foreign\./.test(mediaType)
}
