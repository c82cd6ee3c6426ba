import { join } from 'node:path'
import type { Digest } from '#oci'
import { encodeName } from '#tar'
import { contentOf, type ContentSource, type Entry, type LayerTree } from '#tree'

/**
 * The entries of one layer as a file: JSON arrays of arrays, some thousand rows a line, so that reading ten thousand takes
 * milliseconds and no text grows with the layer. Where
 * the layer has a tar form, files carry the offset of their content in it.
 */
type Row = [
  path: string,
  type: Entry['type'],
  mode: number,
  uid: number,
  gid: number,
  size: number,
  seconds: number,
  nanoseconds: number,
  link: string | 0,
  content: Digest | 0,
  /** -1: not in the tar. */
  offset: number,
  extra?: { device?: Entry['device']; xattrs?: [string, string][] },
]

/** Rows that become text at once: one text for all would take more memory than the entries themselves. */
const rowsAtOnce = 4096

/** Entries → bytes in pieces; `decodeEntries` undoes it. `offsets`: where packing put the contents, by position. */
export function encodeEntries(entries: LayerTree, offsets: readonly number[] = []): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < entries.length; at += rowsAtOnce) {
    const rows = entries.slice(at, at + rowsAtOnce).map((entry, i) => toRow(entry, offsets[at + i]))
    parts.push(Buffer.from(`${JSON.stringify(rows)}\n`))
  }
  return parts
}

function toRow(entry: Entry, offset = ownOffset(entry)): Row {
  const row: Row = [
    entry.path,
    entry.type,
    entry.mode,
    entry.uid,
    entry.gid,
    entry.size,
    entry.mtime.seconds,
    entry.mtime.nanoseconds,
    entry.link ?? 0,
    contentOf(entry) ?? 0,
    offset,
  ]
  if (!entry.device && !entry.xattrs) return row
  const xattrs =
    entry.xattrs &&
    [...entry.xattrs].map(([name, value]): [string, string] => [name, Buffer.from(value).toString('base64')])
  row.push({ ...(entry.device && { device: entry.device }), ...(xattrs && { xattrs }) })
  return row
}

function ownOffset({ source }: Entry): number {
  return source?.kind === 'range' ? source.offset : -1
}

/** Where the forms of the layer are: contents are read from the tar where there is one. */
export interface FormPlaces {
  readonly tar?: string
  readonly directory?: string
}

/** Bytes → entries with the source of each file's content. */
export function decodeEntries(bytes: Uint8Array, places: FormPlaces): LayerTree {
  const entries: Entry[] = []
  for (const rows of decodeRows(bytes)) for (const row of rows) entries.push(toEntry(row, places))
  return entries
}

/** A file's entry, and where its content stands in the layer's archive. */
export interface PlacedContent {
  readonly entry: Entry
  readonly offset: number
}

/** Files whose content stands in the archive, in its order, with the directory form as their source. */
export function decodeContents(bytes: Uint8Array, directory: string): readonly PlacedContent[] {
  const contents: PlacedContent[] = []
  for (const rows of decodeRows(bytes)) {
    for (const row of rows) {
      const [, type, , , , size, , , , , offset] = row
      if (type === 'file' && size > 0 && offset >= 0) contents.push({ entry: toEntry(row, { directory }), offset })
    }
  }
  return contents.sort((a, b) => a.offset - b.offset)
}

function* decodeRows(bytes: Uint8Array): Generator<readonly Row[]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(10, at)
    yield JSON.parse(text.toString('utf8', at, end === -1 ? text.length : end)) as Row[]
    at = end === -1 ? text.length : end + 1
  }
}

/** One of very many: set one by one, what is there, since spreading costs several times as much. */
function toEntry(row: Row, places: FormPlaces): Entry {
  const [path, type, mode, uid, gid, size, seconds, nanoseconds, link, content, offset, extra] = row
  const entry: { -readonly [Key in keyof Entry]: Entry[Key] } = {
    path,
    type,
    mode,
    uid,
    gid,
    size,
    mtime: { seconds, nanoseconds },
  }
  if (link !== 0) entry.link = link
  // Checked before it was written here.
  if (content !== 0) entry.content = content
  const source = type === 'file' ? sourceOf(path, offset, places) : undefined
  if (source) entry.source = source
  if (extra?.device) entry.device = extra.device
  if (extra?.xattrs) entry.xattrs = new Map(extra.xattrs.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  return entry
}

function sourceOf(path: string, offset: number, { tar, directory }: FormPlaces): ContentSource | undefined {
  if (tar !== undefined && offset >= 0) return { kind: 'range', path: tar, offset }
  return directory === undefined ? undefined : { kind: 'file', path: join(directory, path) }
}

/** A path for node's fs functions: a string, or bytes where the name is not UTF-8. */
export function diskPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodeName(path)
}
