import { readFileSync } from 'node:fs'

/** A range of ids that a user may map into a user namespace, subuid(5). */
export interface IdRange {
  readonly start: number
  readonly count: number
}

/** The ranges of a user in the text of `/etc/subuid` or `/etc/subgid`, in order; lines that are not understood don't count. */
export function parseSubordinateIds(text: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  const out: IdRange[] = []
  for (const line of text.split('\n')) {
    const [owner, start, count] = line.trim().split(':')
    if (owner !== user.name && owner !== String(user.uid)) continue
    const range = { start: Number(start), count: Number(count) }
    if (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.count) && range.start > 0 && range.count > 0) {
      out.push(range)
    }
  }
  return out
}

/** The same for a file; none when there is no such file. */
export function readSubordinateIds(path: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  try {
    return parseSubordinateIds(readFileSync(path, 'utf8'), user)
  } catch {
    return []
  }
}

/**
 * Triples for newuidmap(1) and newgidmap(1): the user's own id becomes 0, the subordinate ones follow from 1 without
 * gaps.
 */
export function idMapArguments(own: number, ranges: readonly IdRange[]): string[] {
  let inside = 1
  const out = ['0', String(own), '1']
  for (const { start, count } of ranges) {
    out.push(String(inside), String(start), String(count))
    inside += count
  }
  return out
}
