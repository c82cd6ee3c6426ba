import { createHash } from 'node:crypto'
import { readContent } from '#layer'
import { type Digest, digestOf } from '#oci'
import type { CopyItem, Entry, LayerTree } from '#tree'

/** Digests of contents by the place the bytes come from: so entries need not be copied to learn theirs. */
export interface Contents {
  /** Of a file or hard link; undefined as long as nobody knows. */
  of(entry: Entry): Digest | undefined
  learn(entry: Entry, content: Digest): void
}

export function knownContents(): Contents {
  const byPlace = new Map<string, Digest>()
  return {
    of: entry => entry.content ?? byPlace.get(placeOf(entry) ?? ''),
    learn: (entry, content) => {
      const place = placeOf(entry)
      if (place !== undefined) byPlace.set(place, content)
    },
  }
}

function placeOf({ source }: Entry): string | undefined {
  if (!source || source.kind === 'bytes') return undefined
  return source.kind === 'range' ? `${source.path}@${source.offset}` : source.path
}

/** Takes what packing found out: `packed` are the same entries in the same order, less the root. */
export function learnPacked(contents: Contents, entries: LayerTree, packed: LayerTree): void {
  let at = 0
  for (const entry of entries) {
    if (entry.path === '') continue
    const content = packed[at++]?.content
    if (content !== undefined) contents.learn(entry, content)
  }
}

/** Reads the files of the items whose digest nobody knows yet. */
export async function completeContents(
  contents: Contents,
  items: readonly CopyItem[],
  signal: AbortSignal,
): Promise<void> {
  for (const item of items) {
    for (const entry of item.entries) {
      if (entry.type !== 'file' || entry.source === undefined || contents.of(entry) !== undefined) continue
      signal.throwIfAborted()
      contents.learn(entry, await hashContent(entry))
    }
  }
}

async function hashContent(entry: Entry): Promise<Digest> {
  if (entry.source?.kind === 'bytes') return digestOf(entry.source.bytes)
  const hash = createHash('sha256')
  for await (const chunk of readContent(entry)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` as Digest
}
