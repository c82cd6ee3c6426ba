import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { writeDirectory } from '#layer'
import { makeNode, setXattr } from '#linux'
import type { RunMount } from '#plan'
import type { Selectable } from '#sources'
import type { CopyItem } from '#tree'
import { selectSources } from './select.ts'
import type { StepInputs } from './step-kind.ts'

/** What a bind or a cache seed takes from its source. */
export async function selectMount(
  mount: Pick<Extract<RunMount, { type: 'bind' }>, 'from' | 'source' | 'place'>,
  inputs: StepInputs,
): Promise<{ tree: Selectable; item: CopyItem }> {
  const source = await inputs.source(mount.from)
  const tree = await source.open()
  const step = { sources: [{ kind: 'path', path: mount.source, wildcard: false, place: mount.place }] }
  const [item] = selectSources(tree, step as unknown as Parameters<typeof selectSources>[1], {
    parents: false,
    where: source.where,
  })
  if (!item) throw new Error('a path without wildcards gives one item')
  return { tree, item }
}

/** Writes an item as a directory, or as the file `file` in one; returns whether it was a file. */
export async function materialise(item: CopyItem, place: string, signal: AbortSignal): Promise<boolean> {
  const [top] = item.entries
  const isFile = top !== undefined && top.type !== 'directory'
  mkdirSync(place, { mode: 0o755 })
  const entries = isFile ? [{ ...top, path: 'file' }] : item.entries
  await writeDirectory(entries, place, {
    whiteouts: { kind: 'skip' },
    owners: true,
    calls: { setXattr, makeNode },
    signal,
  })
  if (!isFile && top) {
    chownSync(place, top.uid, top.gid)
    chmodSync(place, top.mode)
  }
  return isFile
}
