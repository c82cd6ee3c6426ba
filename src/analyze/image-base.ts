import { type ImageConfig, parseImageConfig } from '#oci'
import type { Store } from '#store'
import type { ImageBase, ReadableImage } from './readable-image.ts'

/**
 * Which of an image's lowest layers its FROM brought: as recorded by the build, else the image of the store with the
 * most layers that this one begins with, else what the history tells.
 */
export async function findBase(image: Omit<ReadableImage, 'base'>, store?: Store): Promise<ImageBase> {
  const { recipe, config } = image
  if (recipe) return { source: 'build', layers: 0, ...recipe.base }
  return (store && (await baseInStore(image, store))) ?? baseInHistory(config)
}

/** The base that the user names. */
export function givenBase(image: ReadableImage, base: ReadableImage): ImageBase | undefined {
  return isPrefix(base.config, image.config)
    ? { source: 'given', reference: base.name, layers: base.layers.length }
    : undefined
}

/** All layers of `lower` are the lowest of `upper`, which has more. */
function isPrefix(lower: ImageConfig, upper: ImageConfig): boolean {
  const [own, all] = [lower.rootfs.diff_ids, upper.rootfs.diff_ids]
  return own.length < all.length && own.every((diffId, i) => diffId === all[i])
}

async function baseInStore({ config, id }: Omit<ReadableImage, 'base'>, store: Store): Promise<ImageBase | undefined> {
  let best: ImageBase | undefined
  for (const other of store.images.all()) {
    const { length } = other.layers
    if (other.id === id || other.tags.length === 0 || length === 0 || length <= (best?.layers ?? 0)) continue
    const lower = parseImageConfig((await store.blobs.get(other.id)).toString('utf8'))
    if (isPrefix(lower, config)) best = { source: 'store', reference: other.tags[0] as string, layers: length }
  }
  return best
}

/** Docker's and BuildKit's words for a root file system that was added whole, and those of tools that make bases. */
const wholeRoot = /(^|#\(nop\) )ADD \S+ (in )?\/(\s|$)|debuerreotype|debian\.sh|rootfs/i

function baseInHistory({ history, rootfs }: ImageConfig): ImageBase {
  const first = history.find(entry => entry.empty_layer !== true)
  const isBase = rootfs.diff_ids.length > 1 && wholeRoot.test(`${first?.created_by ?? ''} ${first?.comment ?? ''}`)
  return isBase ? { source: 'history', layers: 1 } : { source: 'none', layers: 0 }
}
