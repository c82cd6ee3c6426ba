import type { Store } from '#store'
import type { ImagesFlags } from '../commands/images.ts'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'
import { nameParts } from './name-parts.ts'
import { idText } from './history-rows.ts'
import { createdTime, imageDetails, totalSize } from './image-details.ts'
import { type ImageRow, renderImages, renderImagesJson } from './image-rows.ts'

/** `slipway images`. */
export async function imagesCommand(
  name: string | undefined,
  flags: ImagesFlags,
  context: CliContext,
): Promise<number> {
  const rows = await withStore(context, store => imageRows(store, name))
  const { stdout, now } = context
  const view = {
    truncate: flags.trunc,
    now: now(),
    digests: flags.digests === true,
    ...(stdout.isTTY && { width: stdout.columns }),
  }
  if (flags.quiet) stdout.write(uniqueIds(rows, flags.trunc))
  else stdout.write(flags.format === 'json' ? renderImagesJson(rows, view) : renderImages(rows, view))
  return 0
}

function uniqueIds(rows: readonly ImageRow[], truncate: boolean): string {
  return [...new Set(rows.map(row => row.id))].map(id => `${idText(id, truncate)}\n`).join('')
}

/** One row for each name, and one for an image without a name; the newest first. */
async function imageRows(store: Store, name: string | undefined): Promise<ImageRow[]> {
  const wanted = name === undefined ? () => true : nameFilter(name)
  const rows: ImageRow[] = []
  for (const image of store.images.all()) {
    const names = image.tags.filter(wanted)
    if (names.length === 0 && (image.tags.length > 0 || name !== undefined)) continue
    const details = await imageDetails(store, image)
    const about = {
      id: image.id,
      created: createdTime(details.config),
      size: totalSize(details),
      elsewhere: details.elsewhereSize,
    }
    if (names.length === 0) rows.push({ repository: undefined, tag: undefined, digest: undefined, ...about })
    for (const each of names) rows.push({ ...nameParts(each), digest: details.digestOf(each), ...about })
  }
  return rows.sort((a, b) => (b.created ?? 0) - (a.created ?? 0))
}

/** `debian` takes every tag, `debian:12` one. */
function nameFilter(text: string): (name: string) => boolean {
  const { repository, tag } = nameParts(text)
  const hasTag = text.lastIndexOf(':') > text.lastIndexOf('/')
  return name => {
    const parts = nameParts(name)
    return parts.repository === repository && (!hasTag || parts.tag === tag)
  }
}
