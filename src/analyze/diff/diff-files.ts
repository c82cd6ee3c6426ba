import { contentOf, type Entry } from '#tree'
import type { TraceNode } from '../trace-layers.ts'

/** One path that two trees disagree about. */
export interface FileDifference {
  /** Without leading slash. */
  readonly path: string
  /**
   * `changed`: other content, another type, another target of a link, another device; `metadata`: only what
   * `attributes` lists.
   */
  readonly change: 'added' | 'removed' | 'changed' | 'metadata'
  readonly attributes: readonly ('type' | 'content' | 'link' | 'device' | 'mode' | 'owner' | 'time' | 'xattrs')[]
  readonly before?: FileState
  readonly after?: FileState
}

export interface FileState {
  readonly type: Entry['type']
  /** Bytes of a file's content; 0 for others. */
  readonly size: number
  /** Octal. */
  readonly mode: string
  readonly owner: string
}

/** Everything that differs between two final trees, in the order of paths; what is in an added directory is listed, too. */
export function diffFiles(
  first: TraceNode,
  second: TraceNode,
  { times }: { readonly times: boolean },
): readonly FileDifference[] {
  const found: FileDifference[] = []
  const compare = (path: string, one: TraceNode | undefined, two: TraceNode | undefined): void => {
    const difference = path === '' ? undefined : differenceOf(path, { one: one?.entry, two: two?.entry, times })
    if (difference) found.push(difference)
    const names = new Set([...(one?.children?.keys() ?? []), ...(two?.children?.keys() ?? [])])
    for (const name of [...names].sort()) {
      compare(path === '' ? name : `${path}/${name}`, one?.children?.get(name), two?.children?.get(name))
    }
  }
  compare('', first, second)
  return found
}

interface Sides {
  readonly one: Entry | undefined
  readonly two: Entry | undefined
  readonly times: boolean
}

function differenceOf(path: string, { one, two, times }: Sides): FileDifference | undefined {
  if (one && two) {
    const attributes = attributesOf(one, two, times)
    if (attributes.length === 0) return undefined
    const isContent = attributes.some(each => contentAttributes.has(each))
    return { path, change: isContent ? 'changed' : 'metadata', attributes, before: stateOf(one), after: stateOf(two) }
  }
  if (two) return { path, change: 'added', attributes: [], after: stateOf(two) }
  return one && { path, change: 'removed', attributes: [], before: stateOf(one) }
}

const contentAttributes: ReadonlySet<string> = new Set(['type', 'content', 'link', 'device'])

function attributesOf(one: Entry, two: Entry, times: boolean): FileDifference['attributes'] {
  if (one.type !== two.type) return ['type']
  const isDirectory = one.type === 'directory'
  const differs = {
    content: one.type === 'file' && (one.size !== two.size || contentOf(one) !== contentOf(two)),
    link: one.type === 'symlink' && one.link !== two.link,
    device: one.device?.major !== two.device?.major || one.device?.minor !== two.device?.minor,
    // A link has no mode of its own.
    mode: one.type !== 'symlink' && one.mode !== two.mode,
    owner: one.uid !== two.uid || one.gid !== two.gid,
    time: times && !isDirectory && one.mtime.seconds !== two.mtime.seconds,
    xattrs: xattrText(one) !== xattrText(two),
  }
  return (Object.keys(differs) as (keyof typeof differs)[]).filter(name => differs[name])
}

function xattrText({ xattrs }: Entry): string {
  return [...(xattrs ?? [])]
    .map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
    .sort()
    .join(' ')
}

function stateOf({ type, size, mode, uid, gid }: Entry): FileState {
  return {
    type,
    size: type === 'file' ? size : 0,
    mode: mode.toString(8).padStart(4, '0'),
    owner: `${uid}:${gid}`,
  }
}
