import { createHash } from 'node:crypto'
import { readContent } from '#layer'
import type { Digest } from '#oci'
import { contentOf, type LayerTree } from '#tree'

/** Reads the files whose digest nobody knows yet; of layers that belong to an image, none. */
export async function learnContents(entries: LayerTree): Promise<LayerTree> {
  for (const entry of entries) {
    if (entry.type !== 'file' || entry.source === undefined || contentOf(entry) !== undefined) continue
    const hash = createHash('sha256')
    for await (const chunk of readContent(entry)) hash.update(chunk)
    entry.source.learnt = `sha256:${hash.digest('hex')}` as Digest
  }
  return entries
}
