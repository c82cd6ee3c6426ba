import { comparePaths, contentOf, type Entry, type LayerTree } from './entry.ts'

/** What two layers, which should be the same, disagree about. */
export interface TreeDifference {
  readonly path: string
  /** `presence`: only one of them has the path. */
  readonly attribute: 'presence' | 'type' | 'link' | 'content' | 'mode' | 'owner' | 'device' | 'xattrs' | 'time'
  /** As a person reads them. */
  readonly first: string
  readonly second: string
}

/**
 * The first entry, in the order of paths, in which two layers differ; undefined when there is none. One that differs
 * in more than its time goes before those that differ in nothing else: it says more about the cause. Contents are
 * compared by their digests, which must be known.
 */
export function firstDifference(first: LayerTree, second: LayerTree): TreeDifference | undefined {
  const [one, two] = [byName(first), byName(second)]
  const names = [...new Set([...one.keys(), ...two.keys()])].sort(comparePaths)
  let inTime: TreeDifference | undefined
  for (const name of names) {
    const found = differenceOf(one.get(name), two.get(name))
    if (found && found.attribute !== 'time') return found
    inTime ??= found
  }
  return inTime
}

/** The mark of an opaque directory stands beside the directory. */
function byName(layer: LayerTree): Map<string, Entry> {
  return new Map(layer.map(entry => [entry.type === 'opaque' ? `${entry.path}/` : entry.path, entry]))
}

function differenceOf(first: Entry | undefined, second: Entry | undefined): TreeDifference | undefined {
  const present = first ?? second
  if (!present) return undefined
  const { path } = present
  if (!first || !second) {
    const [one, two] = [first, second].map(entry => (entry ? `a ${entry.type}` : 'nothing'))
    return { path, attribute: 'presence', first: one ?? '', second: two ?? '' }
  }
  for (const [attribute, read] of attributes) {
    const [one, two] = [read(first), read(second)]
    if (one !== two) return { path, attribute, first: one, second: two }
  }
  return undefined
}

const attributes: readonly (readonly [TreeDifference['attribute'], (entry: Entry) => string])[] = [
  ['type', entry => entry.type],
  ['link', entry => entry.link ?? ''],
  ['content', entry => (entry.type === 'file' ? `${entry.size} bytes, ${contentOf(entry) ?? 'unknown'}` : '')],
  ['mode', entry => `0${entry.mode.toString(8)}`],
  ['owner', entry => `${entry.uid}:${entry.gid}`],
  ['device', entry => (entry.device ? `${entry.device.major}:${entry.device.minor}` : '')],
  ['xattrs', entry => [...(entry.xattrs ?? [])].map(xattrText).sort().join(' ')],
  ['time', ({ mtime }) => timeText(mtime)],
]

function xattrText([name, value]: readonly [string, Uint8Array]): string {
  return `${name}=${Buffer.from(value).toString('hex')}`
}

function timeText({ seconds, nanoseconds }: Entry['mtime']): string {
  const whole = new Date(seconds * 1000)
  const text = Number.isNaN(whole.getTime()) ? `${seconds} s` : whole.toISOString().replace('.000Z', 'Z')
  return nanoseconds === 0 ? text : `${text} + ${nanoseconds} ns`
}
