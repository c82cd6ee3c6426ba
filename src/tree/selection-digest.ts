import { createHash } from 'node:crypto'
import { type Digest, digestOf } from '#oci'
import type { CopyItem } from './copy-into.ts'
import { contentOf, type Entry } from './entry.ts'

/** What of a selection decides about a COPY's result. */
export interface SelectionAspects {
  /** False where --chmod sets an octal mode. */
  readonly mode: boolean
  /** False where --chown sets the owner. */
  readonly owner: boolean
  /**
   * False where the attributes of a source that is a directory count for nothing: COPY takes only its content (section
   * 12.7 of the language page).
   */
  readonly top: boolean
}

/**
 * Digest of what is about to be copied: names, types, modes, owners, link targets, devices, attributes and contents;
 * no modification times (section 16.1 of the language page). Every file's content must be known.
 */
export function digestSelection(items: readonly CopyItem[], aspects: SelectionAspects): Digest {
  const hash = createHash('sha256')
  let text = ''
  const add = (part: string): void => {
    text += part
    // Each call of the hash costs more than a line.
    if (text.length > 1 << 16) {
      hash.update(text)
      text = ''
    }
  }
  for (const item of items) {
    add(`item ${JSON.stringify([item.name, item.keep ?? null])}\n`)
    for (const entry of item.entries) {
      if (isBareTop(entry, aspects)) {
        add('directory\n')
        continue
      }
      add(line(entry, aspects))
      if (entry.xattrs)
        for (const [name, value] of entry.xattrs) add(JSON.stringify([name, Buffer.from(value).toString('base64')]))
    }
  }
  hash.update(text)
  return digestOf(hash.digest())
}

/** Whether nothing but its being a directory counts. */
export function isBareTop(entry: Entry, { top }: SelectionAspects): boolean {
  return !top && entry.path === '' && entry.type === 'directory'
}

/** JSON writes names that are not UTF-8 as escapes, so nothing is lost. */
function line(entry: Entry, aspects: SelectionAspects): string {
  const content = entry.type === 'file' ? contentOf(entry) : undefined
  if (entry.type === 'file' && content === undefined) throw new Error(`the content of "${entry.path}" is not known yet`)
  const fields = [
    entry.path,
    entry.type,
    aspects.mode ? entry.mode : null,
    aspects.owner ? [entry.uid, entry.gid] : null,
    content ?? entry.link ?? null,
    entry.device ? [entry.device.major, entry.device.minor] : null,
  ]
  return `${JSON.stringify(fields)}\n`
}
