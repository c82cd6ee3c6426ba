import type { CacheReason } from '#diagnostics'
import { type Digest, isDigest } from '#oci'
import type { Store } from '#store'
import { type ListedFile, parseListing } from '#tree'

const shownFiles = 10

/** What differs between two selections, by the digests of their listings; `of` says whose they are. */
export function changedFiles(
  store: Store,
  [before, now]: readonly [unknown, unknown],
  of?: string,
): readonly CacheReason[] {
  const inWhat = of === undefined ? '' : ` (${of})`
  const [a, b] = [listingOf(store, before), listingOf(store, now)]
  if (!a || !b) return [{ input: 'file', text: `the files it takes changed${inWhat}` }]
  const reasons: CacheReason[] = []
  let more = 0
  for (const name of new Set([...b.keys(), ...a.keys()])) {
    const text = changeOf(a.get(name), b.get(name))
    if (text === undefined) continue
    if (reasons.length === shownFiles) more++
    else reasons.push({ input: 'file', name, text: `file ${name === '' ? '.' : name}: ${text}${inWhat}` })
  }
  if (more > 0) reasons.push({ input: 'file', text: `and ${more} more files${inWhat}` })
  if (reasons.length === 0) return [{ input: 'file', text: `the order or arrangement of files changed${inWhat}` }]
  return reasons
}

function listingOf(store: Store, digest: unknown): ReadonlyMap<string, ListedFile> | undefined {
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  const text = store.lastBuilds.readListing(digest as Digest)
  return text === undefined ? undefined : parseListing(text)
}

/** What of a file is not as it was; undefined when everything is. */
function changeOf(before: ListedFile | undefined, now: ListedFile | undefined): string | undefined {
  if (!before) return 'added'
  if (!now) return 'removed'
  if (before.type !== now.type) return `${before.type} → ${now.type}`
  const parts = [
    before.content !== now.content && 'content changed',
    before.mode !== now.mode && `mode ${octal(before.mode)} → ${octal(now.mode)}`,
    before.owner !== now.owner && `owner ${before.owner ?? 'any'} → ${now.owner ?? 'any'}`,
    before.link !== now.link && `link ${before.link ?? 'none'} → ${now.link ?? 'none'}`,
    before.device !== now.device && `device ${before.device ?? 'none'} → ${now.device ?? 'none'}`,
    before.attributes !== now.attributes && 'extended attributes changed',
  ].filter(part => part !== false)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function octal(mode: number | undefined): string {
  return mode === undefined ? 'any' : mode.toString(8).padStart(4, '0')
}
