import type { PageData, PageDirectory, PageNode } from './data.ts'

/** One file or directory as the page shows it. */
export interface Item {
  readonly name: string
  readonly path: string
  readonly parent: Item | undefined
  readonly children: Item[] | undefined
  /** Of a file: number of its kind, 0 for none. */
  readonly kind: number
  readonly copies: readonly Copy[]
  /** Bytes in the state that is shown; of directories, of all below. */
  bytes: number
  /** Of these, bytes that later layers hide. */
  hidden: number
  /** Bytes more or less than in the earlier state; for the view of changes. */
  added: number
  removed: number
  /** The layer that most of the bytes are of. */
  layer: number
  open: boolean
}

export interface Copy {
  readonly layer: number
  readonly size: number
  /** -1: seen in the end. */
  readonly end: number
  readonly how: number
}

/** What of the image is counted. */
export interface Selection {
  /** All layers up to this one. */
  readonly upTo: number
  /** Only this layer's own bytes. */
  readonly only: number | undefined
  /** Bytes that later layers hide are there, too. */
  readonly hidden: boolean
}

export function readTree(data: PageDirectory, parent?: Item): Item {
  return readNode(data, parent)
}

function readNode(node: PageNode, parent: Item | undefined): Item {
  const isFile = node.length === 3
  const item: Item = {
    name: node[0],
    path: parent === undefined ? '' : `${parent.path}/${node[0]}`,
    parent,
    children: isFile ? undefined : [],
    kind: isFile ? node[1] : 0,
    copies: isFile ? copiesOf(node[2]) : [],
    bytes: 0,
    hidden: 0,
    added: 0,
    removed: 0,
    layer: 0,
    open: parent === undefined,
  }
  if (!isFile) for (const child of node[1]) item.children?.push(readNode(child, item))
  return item
}

function copiesOf(numbers: readonly number[]): Copy[] {
  const copies: Copy[] = []
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    const [layer = 0, size = 0, end = -1, how = 0] = numbers.slice(i, i + 4)
    copies.push({ layer, size, end, how })
  }
  return copies
}

/** Counts bytes for a selection, from the leaves up. */
export function count(item: Item, selection: Selection): void {
  item.bytes = 0
  item.hidden = 0
  if (item.children === undefined) {
    for (const copy of item.copies) countCopy(item, copy, selection)
    return
  }
  const byLayer = new Map<number, number>()
  for (const child of item.children) {
    count(child, selection)
    item.bytes += child.bytes
    item.hidden += child.hidden
    byLayer.set(child.layer, (byLayer.get(child.layer) ?? 0) + child.bytes)
  }
  item.layer = [...byLayer].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0
}

function countCopy(item: Item, copy: Copy, { upTo, only, hidden }: Selection): void {
  if (copy.layer > upTo || (only !== undefined && copy.layer !== only)) return
  const isHidden = copy.end !== -1 && copy.end <= upTo
  const endsLater = copy.end !== -1
  if (only === undefined && isHidden && !hidden) return
  item.bytes += copy.size
  if (only === undefined ? isHidden : endsLater) item.hidden += copy.size
  item.layer = copy.layer
}

/** Bytes that came and went between two states, from the leaves up. */
export function countChanges(item: Item, from: number, to: number): void {
  item.added = 0
  item.removed = 0
  if (item.children === undefined) {
    for (const { layer, size, end } of item.copies) {
      const before = layer <= from && (end === -1 || end > from)
      const after = layer <= to && (end === -1 || end > to)
      if (after && !before) item.added += size
      if (before && !after) item.removed += size
    }
    return
  }
  for (const child of item.children) {
    countChanges(child, from, to)
    item.added += child.added
    item.removed += child.removed
  }
}

/** Items in the order of the tree. */
export function* walk(item: Item): Generator<Item> {
  yield item
  for (const child of item.children ?? []) yield* walk(child)
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = Math.abs(bytes)
  let unit = 0
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${bytes < 0 ? '−' : ''}${Number(value.toPrecision(3))} ${units[unit]}`
}

export function readData(): PageData {
  return JSON.parse(document.getElementById('data')?.textContent ?? '{}') as PageData
}
