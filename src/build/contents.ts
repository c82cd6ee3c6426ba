import { createHash } from 'node:crypto'
import { readContent } from '#layer'
import type { Digest } from '#oci'
import { contentOf, type CopyItem } from '#tree'

/** Reads the files of the items whose digest nobody knows yet. */
export async function learnContents(items: readonly CopyItem[], signal: AbortSignal): Promise<void> {
  for (const item of items) {
    for (const entry of item.entries) {
      if (entry.type !== 'file' || entry.source === undefined || contentOf(entry) !== undefined) continue
      signal.throwIfAborted()
      const hash = createHash('sha256')
      for await (const chunk of readContent(entry)) hash.update(chunk)
      entry.source.learnt = `sha256:${hash.digest('hex')}` as Digest
    }
  }
}
