import { UserError } from '#diagnostics'
import {
  type Blobs,
  type Descriptor,
  type Digest,
  digestOf,
  formatPlatform,
  type ImageConfig,
  type ImageManifest,
  type ManifestBytes,
  type Manifests,
  mediaTypes,
  parseImageConfig,
  parseManifestOrIndex,
  type Platform,
} from '#oci'
import { choosePlatform, isAttestation } from './choose-platform.ts'

/** Manifests and blobs, of a registry's repository or of a layout. */
export type ImageSource = Pick<Manifests, 'resolve'> & Pick<Blobs, 'read'>

/** An image somewhere else: everything but the bytes of its layers. */
export interface RemoteImage {
  /** What the name stood for: the manifest itself, or an index. */
  readonly named: Descriptor
  /** Of the manifest. */
  readonly digest: Digest
  readonly manifest: ImageManifest
  /** The configuration's JSON, verified. */
  readonly configBytes: Uint8Array
  readonly config: ImageConfig
}

export interface RemoteChoice {
  /** A tag or a digest. */
  readonly name: string
  readonly platform: Platform
  /** How errors call the image: `localhost:5000/app:1`. */
  readonly what: string
}

/** Indexes in indexes. */
const depthLimit = 4
/** Bytes of a configuration. */
const configLimit = 16 << 20
const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig]

/**
 * The image that a name stands for, for a platform, without its layers; undefined where nothing has the name. Throws a
 * `UserError` for what is no image, and where there is none for the platform.
 */
export async function findRemoteImage(source: ImageSource, choice: RemoteChoice): Promise<RemoteImage | undefined> {
  const top = await source.resolve(choice.name)
  if (!top) return undefined
  const { descriptor, manifest } = await manifestFor(source, top, choice)
  const { what } = choice
  if (!configTypes.includes(manifest.config.mediaType)) {
    throw new UserError(`${what} is not a container image, but ${JSON.stringify(manifest.config.mediaType)}`, {
      hint: 'name an image; this is something else that registries can hold',
    })
  }
  if (manifest.config.size > configLimit) {
    throw new UserError(`the configuration of ${what} has ${manifest.config.size} bytes`, {
      hint: `it may have at most ${configLimit >> 20} MiB`,
    })
  }
  const configBytes = await wholeBlob(source, manifest.config, `the configuration of ${what}`)
  const config = parseImageConfig(configBytes.toString())
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new UserError(
      `${what}: its manifest has ${manifest.layers.length} layers, its configuration ${config.rootfs.diff_ids.length}`,
      { hint: 'it is not a container image, or damaged' },
    )
  }
  return { named: top.descriptor, digest: descriptor.digest, manifest, configBytes, config }
}

/** The platforms that a name stands for; undefined where nothing has the name. A manifest alone has the one of its configuration. */
export async function platformsOf(source: ImageSource, choice: Omit<RemoteChoice, 'platform'>) {
  const top = await source.resolve(choice.name)
  if (!top) return undefined
  const found = parseManifestOrIndex(Buffer.from(top.bytes).toString())
  if (found.kind === 'manifest') return undefined
  return found.value.manifests.filter(entry => !isAttestation(entry)).flatMap(({ platform }) => platform ?? [])
}

async function manifestFor(
  source: ImageSource,
  top: ManifestBytes,
  { platform, what }: RemoteChoice,
): Promise<{ descriptor: Descriptor; manifest: ImageManifest }> {
  let current = top
  for (let depth = 0; depth < depthLimit; depth++) {
    const found = parseManifestOrIndex(Buffer.from(current.bytes).toString())
    if (found.kind === 'manifest') return { descriptor: current.descriptor, manifest: found.value }
    const entries = found.value.manifests.filter(entry => !isAttestation(entry))
    const { digest } = choosePlatform(what, entries, platform)
    const next = await source.resolve(digest)
    if (!next) {
      throw new UserError(`${what} names a manifest for ${formatPlatform(platform)} that is not there: ${digest}`, {
        hint: 'the image is not complete; push it again',
      })
    }
    current = next
  }
  throw new UserError(`${what} has indexes inside of indexes, more than ${depthLimit} deep`, {
    hint: 'no tool writes such an image',
  })
}

/** A small blob, verified. Throws a `UserError` when it is another than the descriptor says. */
export async function wholeBlob(source: Pick<Blobs, 'read'>, blob: Descriptor, what: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of source.read(blob)) {
    size += part.length
    if (size > blob.size) break
    parts.push(part)
  }
  const bytes = Buffer.concat(parts)
  const digest = digestOf(bytes)
  if (size === blob.size && digest === blob.digest) return bytes
  throw new UserError(`${what} has ${size} bytes and digest ${digest}, not ${blob.size} bytes and ${blob.digest}`, {
    hint: 'it is damaged; fetch it from somewhere else',
  })
}
