import { createHash } from 'node:crypto'
import { readContent } from '#layer'
import { type Digest, digestOf } from '#oci'
import type { CopyItem, Entry, LayerTree } from '#tree'

/** Names a place where bytes are, so that what was learnt about it can be found again. */
function placeOf(entry: Entry): string | undefined {
  const { source } = entry
  if (!source || source.kind === 'bytes') return undefined
  return source.kind === 'range' ? `${source.path}@${source.offset}` : source.path
}

/** Digests that packing found out, by the place the bytes came from. `packed` are the same entries after packing. */
export function contentsByPlace(entries: LayerTree, packed: LayerTree): ReadonlyMap<string, Digest> {
  const known = new Map<string, Digest>()
  const after = new Map(packed.map(entry => [entry.path, entry.content]))
  for (const entry of entries) {
    const place = placeOf(entry)
    const content = after.get(entry.path)
    if (place !== undefined && content !== undefined) known.set(place, content)
  }
  return known
}

/** The items with every file's digest: known ones, else from `known` places, else by reading the file. */
export async function withContents(
  items: readonly CopyItem[],
  options: { readonly known?: ReadonlyMap<string, Digest>; readonly signal: AbortSignal },
): Promise<CopyItem[]> {
  const out: CopyItem[] = []
  for (const item of items) {
    const entries: Entry[] = []
    for (const entry of item.entries) {
      options.signal.throwIfAborted()
      entries.push(await withContent(entry, options.known))
    }
    out.push({ ...item, entries })
  }
  return out
}

async function withContent(entry: Entry, known: ReadonlyMap<string, Digest> | undefined): Promise<Entry> {
  if ((entry.type !== 'file' && entry.type !== 'hardlink') || entry.content !== undefined || entry.source === undefined)
    return entry
  const place = placeOf(entry)
  const content = (place === undefined ? undefined : known?.get(place)) ?? (await hashContent(entry))
  return { ...entry, content }
}

async function hashContent(entry: Entry): Promise<Digest> {
  if (entry.source?.kind === 'bytes') return digestOf(entry.source.bytes)
  const hash = createHash('sha256')
  for await (const chunk of readContent(entry)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` as Digest
}
