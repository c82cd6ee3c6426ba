import { decompress } from '#layer'
import type { Digest, Reference } from '#oci'
import type { ArchivedImage, ArchivedLayer } from './archived-image.ts'
import type { ImageSource, RemoteImage } from './remote-image.ts'
import { verified } from './verified.ts'

/** A remote image as one whose layers can be read; each is downloaded, verified and decompressed while it is read. */
export function remoteAsArchived(
  source: ImageSource,
  { manifest, config, configBytes }: RemoteImage,
  { references, what }: { readonly references: readonly Reference[]; readonly what: string },
): ArchivedImage {
  const layers = manifest.layers.map((blob, i): ArchivedLayer => {
    const diffId = config.rootfs.diff_ids[i] as Digest
    const name = `${what}, layer ${blob.digest}`
    return {
      mediaType: blob.mediaType,
      diffId,
      open: () => verified(decompress(source.read(blob), { name }), { digest: diffId, what: `${name}, uncompressed,` }),
    }
  })
  return { references, config: configBytes, layers }
}
