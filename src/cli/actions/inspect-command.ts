import type { ImageConfig } from '#oci'
import type { CliContext } from '../context.ts'
import { namedDetails } from '../images/named-details.ts'
import type { PlaceDetails } from '../images/place-details.ts'
import { isStage } from '../images/stage-images.ts'
import { enterNamespace } from '../namespace.ts'
import type { ImageFlags } from '../options/image-options.ts'
import { type ImageDetails, totalSize } from './image-details.ts'

/** `slipway inspect`: a JSON list with one object per image, keys as `docker image inspect` has them. */
export async function inspectCommand(
  names: readonly string[],
  flags: ImageFlags,
  context: CliContext,
): Promise<number> {
  const inner = await enterNamespace(context, names.some(isStage))
  if (inner !== undefined) return inner
  const found = await namedDetails(names, flags, context)
  const objects = found.map(each => (each.kind === 'store' ? inspected(each) : inspectedPlace(each)))
  context.stdout.write(`${JSON.stringify(objects, undefined, 4)}\n`)
  return 0
}

function inspected(details: ImageDetails): object {
  const { image, config, tags, layerSizes } = details
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: details.digests,
    ...described(config),
    Size: totalSize(details),
    ...(details.elsewhereSize > 0 && { RemoteSize: details.elsewhereSize }),
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    LayerSizes: layerSizes,
    History: config.history,
  }
}

/** Sizes are those of the layers as they lie there, compressed. */
function inspectedPlace({ id, config, layerSizes, names, manifest }: PlaceDetails): object {
  return {
    Id: id,
    ...(manifest && { Digest: manifest.digest, NamedDigest: manifest.named, MediaType: manifest.mediaType }),
    RepoTags: names,
    ...described(config),
    RemoteSize: layerSizes.reduce((sum, size) => sum + size, 0),
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    RemoteLayerSizes: layerSizes,
    History: config.history,
  }
}

function described(config: ImageConfig): object {
  return {
    Comment: config.history.at(-1)?.comment ?? '',
    ...(config.created !== undefined && { Created: config.created }),
    Author: config.author ?? '',
    Config: config.config,
    Architecture: config.architecture,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Os: config.os,
  }
}
