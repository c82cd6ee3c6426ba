import { createHash } from 'node:crypto'
import type { CopyItem } from './copy-into.ts'
import { contentOf, type Entry, joinPath } from './entry.ts'
import { isBareTop, type SelectionAspects } from './selection-digest.ts'

/** What of one file decides about a COPY, for a person to compare; absent is what does not count. */
export interface ListedFile {
  readonly type: Entry['type']
  readonly mode?: number
  /** `uid:gid`. */
  readonly owner?: string
  /** The beginning of the digest of its content. */
  readonly content?: string
  readonly link?: string
  /** `major:minor`. */
  readonly device?: string
  /** The beginning of a digest of all extended attributes. */
  readonly attributes?: string
}

/** More files than this are not listed: a text in memory should not be the largest thing of a build. */
const mostFiles = 250_000

/** Whether there are too many files for a listing. */
export function isListable(items: readonly CopyItem[]): boolean {
  return items.reduce((sum, item) => sum + item.entries.length, 0) <= mostFiles
}

/** The same of a selection that `digestSelection` hashes, as text: a line of JSON for each file. */
export function listSelection(items: readonly CopyItem[], aspects: SelectionAspects): string {
  const lines: string[] = []
  for (const item of items) {
    const top = joinPath(item.keep ?? '', item.name)
    for (const entry of item.entries)
      lines.push(JSON.stringify([joinPath(top, entry.path), listed(entry, aspects)] satisfies [string, ListedFile]))
  }
  return lines.join('\n')
}

/** Reads what `listSelection` wrote; undefined when it is something else. */
export function parseListing(text: string): ReadonlyMap<string, ListedFile> | undefined {
  try {
    return new Map(text === '' ? [] : text.split('\n').map(line => JSON.parse(line) as [string, ListedFile]))
  } catch {
    return undefined
  }
}

function listed(entry: Entry, aspects: SelectionAspects): ListedFile {
  if (isBareTop(entry, aspects)) return { type: entry.type }
  const { mode, owner } = aspects
  const content = entry.type === 'file' ? contentOf(entry) : undefined
  return {
    type: entry.type,
    ...(mode && { mode: entry.mode }),
    ...(owner && { owner: `${entry.uid}:${entry.gid}` }),
    ...(content !== undefined && { content: content.slice(0, 23) }),
    ...(entry.link !== undefined && { link: entry.link }),
    ...(entry.device && { device: `${entry.device.major}:${entry.device.minor}` }),
    ...(entry.xattrs && { attributes: digestOfAttributes(entry.xattrs) }),
  }
}

function digestOfAttributes(attributes: NonNullable<Entry['xattrs']>): string {
  const hash = createHash('sha256')
  for (const [name, value] of attributes) hash.update(JSON.stringify([name, Buffer.from(value).toString('base64')]))
  return hash.digest('hex').slice(0, 16)
}
