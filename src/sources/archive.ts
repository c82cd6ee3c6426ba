import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createLayerIndexer, decompress, readContent, sniffCompression } from '#layer'
import { createTarParser } from '#tar'
import type { Store } from '#store'
import type { Entry, LayerTree } from '#tree'

/** What ADD unpacks. */
export interface Archive {
  /** Its members, with the sources of their contents. */
  members(): Promise<LayerTree>
}

class FirstHeader extends Error {}

/**
 * Recognises an archive as Docker does: by its content, and only when a first member can be read (section 12.19 of the
 * language page): so an empty or damaged one is an ordinary file. Undefined for what is no archive.
 */
export async function openArchive(store: Store, entry: Entry): Promise<Archive | undefined> {
  if (entry.type !== 'file' || entry.size < 10) return undefined
  const first = await firstBytes(entry)
  const compression = sniffCompression(first)
  if (compression === 'none' && !looksLikeTar(first)) return undefined
  const open = (): AsyncIterable<Uint8Array> =>
    compression === 'none' ? readContent(entry) : decompress(readContent(entry))
  if (!(await hasFirstMember(open()))) return undefined
  return { members: () => indexMembers(store, entry, { compressed: compression !== 'none', open }) }
}

async function firstBytes(entry: Entry): Promise<Uint8Array> {
  for await (const chunk of readContent(entry)) return chunk.subarray(0, 1024)
  return new Uint8Array()
}

/** The checksum of the first header block fits (POSIX, pax, "ustar Interchange Format"). */
function looksLikeTar(bytes: Uint8Array): boolean {
  if (bytes.length < 512) return false
  let sum = 8 * 0x20
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += bytes[i] ?? 0
  const text = Buffer.from(bytes.subarray(148, 156))
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim()
  return /^[0-7]+$/.test(text) && Number.parseInt(text, 8) === sum
}

async function hasFirstMember(bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
  const parser = createTarParser({
    onHeader: () => {
      throw new FirstHeader()
    },
    onContent: () => undefined,
    onHole: () => undefined,
    onMemberEnd: () => undefined,
  })
  try {
    for await (const chunk of bytes) parser.push(chunk)
    return false
  } catch (error) {
    return error instanceof FirstHeader
  }
}

interface Opened {
  readonly compressed: boolean
  readonly open: () => AsyncIterable<Uint8Array>
}

/** A compressed archive is spooled once, so that members can be read where they lie. */
async function indexMembers(store: Store, entry: Entry, { compressed, open }: Opened): Promise<LayerTree> {
  const indexer = createLayerIndexer({ name: `archive "${entry.path}"`, whiteouts: false })
  if (!compressed && entry.source?.kind === 'file') {
    for await (const chunk of open()) indexer.push(chunk)
    return indexer.finish(entry.source.path)
  }
  const spool = await store.temporary('archive')
  const file = createWriteStream(spool, { flags: 'wx' })
  try {
    for await (const chunk of open()) {
      indexer.push(chunk)
      if (!file.write(chunk)) await once(file, 'drain')
    }
  } finally {
    file.end()
    await once(file, 'close')
  }
  return indexer.finish(spool)
}
