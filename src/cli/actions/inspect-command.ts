import { findImage } from '#build'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'
import { type ImageDetails, imageDetails, totalSize } from './image-details.ts'

/** `slipway inspect`: a JSON list with one object per image, keys as `docker image inspect` has them. */
export async function inspectCommand(names: readonly string[], context: CliContext): Promise<number> {
  const objects = await withStore(context, async store => {
    const found = names.map(name => findImage(store, name))
    return Promise.all(found.map(async image => inspected(await imageDetails(store, image))))
  })
  context.stdout.write(`${JSON.stringify(objects, undefined, 4)}\n`)
  return 0
}

function inspected(details: ImageDetails): object {
  const { image, config, tags, layerSizes } = details
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: details.digests,
    Comment: config.history.at(-1)?.comment ?? '',
    ...(config.created !== undefined && { Created: config.created }),
    Author: config.author ?? '',
    Config: config.config,
    Architecture: config.architecture,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Os: config.os,
    Size: totalSize(details),
    ...(details.elsewhereSize > 0 && { RemoteSize: details.elsewhereSize }),
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    LayerSizes: layerSizes,
    History: config.history,
  }
}
