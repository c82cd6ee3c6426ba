import { contentOf, type Entry, type LayerTree, splitPath, type Tree } from '#tree'

/** The bytes of one file as one layer holds them. Names that are hard links to each other share one. */
export interface FileCopy {
  /** Position of the layer that holds the bytes. */
  readonly layer: number
  readonly entry: Entry
  /**
   * What the layer did to the path: nothing with bytes was there (`added`), other bytes (`changed`), or the same bytes,
   * so that only owner, mode, time or attributes differ (`reowned`).
   */
  readonly change: 'added' | 'changed' | 'reowned'
  /** Position of the layer that brought this content under this name: another one where it was re-owned since. */
  readonly origin: number
  /** Names in the tree, as of the last layer. */
  names: number
  /** What hid it; absent for what the final tree shows. */
  end?: CopyEnd
}

/** The end of a copy: its last name was taken away. */
export interface CopyEnd {
  readonly layer: number
  readonly how: 'removed' | 'replaced' | 'reowned'
  /** What the layer put under the name instead. */
  readonly next?: FileCopy
}

/** One object of the final tree. */
export interface TraceNode {
  readonly entry: Entry
  /** Position of the layer that last said something about it; -1 for what no layer describes. */
  readonly layer: number
  /** The bytes of a file. */
  readonly copy: FileCopy | undefined
  readonly children: ReadonlyMap<string, TraceNode> | undefined
}

/** What became of every file of every layer. */
export interface LayerTrace {
  /** In the order of layers and entries. */
  readonly copies: readonly FileCopy[]
  readonly root: TraceNode
  /** The final tree, for look-ups. */
  readonly tree: Tree & { node(path: string): TraceNode | undefined }
  /** By layer: entries that changed nothing but an object without bytes, or removed one. */
  readonly objects: readonly ObjectCounts[]
}

/** Numbers of objects (files, links, directories, devices), not bytes. */
export interface ObjectCounts {
  readonly added: number
  readonly changed: number
  readonly removed: number
}

interface Node {
  entry: Entry
  layer: number
  copy: FileCopy | undefined
  children: Map<string, Node> | undefined
}

type Counts = { -readonly [key in keyof ObjectCounts]: number }

const rootEntry: Entry = {
  path: '',
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
}

/**
 * Applies layers, base first, as `mergeLayers` does (image-spec, layer.md "Applying Changesets"), and follows every
 * file's bytes. The sizes of all copies without an `end` add up to the final tree, each hard-linked file once.
 */
export function traceLayers(layers: readonly LayerTree[]): LayerTrace {
  const top: Node = { entry: rootEntry, layer: -1, copy: undefined, children: undefined }
  const copies: FileCopy[] = []
  const objects = layers.map((layer, position) => {
    const step = startLayer(top, position, copies)
    for (const entry of layer) step.hide(entry)
    for (const entry of layer) step.apply(entry)
    return step.finish()
  })
  const tree = {
    node: (path: string) => nodeAt(top, path),
    get: (path: string) => nodeAt(top, path)?.entry,
    list: (path: string) => [...(nodeAt(top, path)?.children?.keys() ?? [])].sort(),
  }
  return { copies, root: top, tree, objects }
}

function startLayer(top: Node, layer: number, copies: FileCopy[]) {
  // Names taken away so far: a name may come back in the same layer.
  const taken: [path: string, node: Node][] = []
  const firstTaken = new Map<string, Node>()
  const counts: Counts = { added: 0, changed: 0, removed: 0 }
  // Entries of one directory mostly follow each other. Forgotten when a directory is put in another's place.
  let lastParent: string | undefined
  let lastDirectory: Node = top

  const take = (node: Node, path: string): void => {
    taken.push([path, node])
    if (!firstTaken.has(path)) firstTaken.set(path, node)
    if (node.children) for (const [name, child] of node.children) take(child, path === '' ? name : `${path}/${name}`)
  }
  const hide = (entry: Entry): void => {
    if (entry.type === 'opaque') {
      const node = nodeAt(top, entry.path)
      for (const [name, child] of node?.children ?? []) take(child, entry.path === '' ? name : `${entry.path}/${name}`)
      if (node) node.children = undefined
    } else if (entry.type === 'whiteout') {
      const { parent, name } = splitPath(entry.path)
      const siblings = nodeAt(top, parent)?.children
      const node = siblings?.get(name)
      if (!node) return
      siblings?.delete(name)
      take(node, entry.path)
    }
  }

  const apply = (entry: Entry): void => {
    if (entry.type === 'opaque' || entry.type === 'whiteout') return
    if (entry.path === '') {
      if (entry.type === 'directory') top.entry = entry
      return
    }
    const { parent, name } = splitPath(entry.path)
    const directory = parent === lastParent ? lastDirectory : directoryAt(top, parent, { layer, take })
    lastParent = parent
    lastDirectory = directory
    directory.children ??= new Map()
    const present = directory.children.get(name)
    if (present?.entry.type === 'directory') lastParent = undefined
    const was = present ?? (firstTaken.size > 0 ? firstTaken.get(entry.path) : undefined)
    const linked = entry.type === 'hardlink' ? nodeAt(top, entry.link ?? '') : undefined
    if (entry.type === 'hardlink' && (!linked || linked.entry.type === 'directory')) return
    if (linked && linked === present) return
    const children = entry.type === 'directory' && present?.entry.type === 'directory' ? present.children : undefined
    if (present && children === undefined) take(present, entry.path)
    const copy = entry.type === 'file' ? newCopy(entry, layer, was) : linked?.copy
    if (entry.type === 'file' && copy) copies.push(copy)
    if (copy) copy.names++
    count(counts, entry, was)
    const shown = linked ? { ...linked.entry, path: entry.path } : entry
    directory.children.set(name, { entry: shown, layer: linked?.layer ?? layer, copy, children })
  }

  const finish = (): ObjectCounts => {
    for (const [path, node] of taken) {
      if (nodeAt(top, path) === undefined) counts.removed++
      if (node.copy) node.copy.names--
    }
    for (const [path, { copy }] of taken) if (copy?.names === 0) endCopy(copy, layer, nodeAt(top, path)?.copy)
    return counts
  }
  return { hide, apply, finish }
}

function newCopy(entry: Entry, layer: number, was: Node | undefined): FileCopy {
  const change = was?.copy === undefined ? 'added' : sameContent(was.copy.entry, entry) ? 'reowned' : 'changed'
  return { layer, entry, change, origin: change === 'reowned' ? (was?.copy?.origin ?? layer) : layer, names: 0 }
}

/** Of several names that vanish at once, the one that says most counts. */
function endCopy(copy: FileCopy, layer: number, next: FileCopy | undefined): void {
  const how = next === undefined ? 'removed' : sameContent(copy.entry, next.entry) ? 'reowned' : 'replaced'
  if (copy.end !== undefined && weight[copy.end.how] >= weight[how]) return
  copy.end = { layer, how, ...(next && { next }) }
}

const weight = { removed: 0, replaced: 1, reowned: 2 } as const

function sameContent(a: Entry, b: Entry): boolean {
  if (a.size !== b.size) return false
  const [one, two] = [contentOf(a), contentOf(b)]
  return one !== undefined && one === two
}

function count(counts: Counts, entry: Entry, was: Node | undefined): void {
  if (was === undefined || was.layer === -1) counts.added++
  else if (!sameObject(was.entry, entry)) counts.changed++
}

/** Layers repeat the directories above what they change: that is no change. */
function sameObject(a: Entry, b: Entry): boolean {
  if (a.type !== 'directory' || b.type !== 'directory') return false
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid
}

interface Creation {
  readonly layer: number
  readonly take: (node: Node, path: string) => void
}

function directoryAt(top: Node, path: string, { layer, take }: Creation): Node {
  let node = top
  if (path === '') return node
  for (let start = 0, slash = 0; slash !== -1; start = slash + 1) {
    slash = path.indexOf('/', start)
    const name = slash === -1 ? path.slice(start) : path.slice(start, slash)
    node.children ??= new Map()
    let next = node.children.get(name)
    if (next?.entry.type !== 'directory') {
      const walked = slash === -1 ? path : path.slice(0, slash)
      if (next) take(next, walked)
      next = { entry: { ...rootEntry, path: walked }, layer, copy: undefined, children: undefined }
      node.children.set(name, next)
    }
    node = next
  }
  return node
}

function nodeAt(top: Node, path: string): Node | undefined {
  let node: Node | undefined = top
  if (path === '') return node
  for (let start = 0; node !== undefined; ) {
    const slash = path.indexOf('/', start)
    if (slash === -1) return node.children?.get(path.slice(start))
    node = node.children?.get(path.slice(start, slash))
    start = slash + 1
  }
  return undefined
}

/** Calls back for every object of the final tree: parents before children, siblings by code unit. */
export function visitTree(node: TraceNode, visit: (node: TraceNode) => void): void {
  visit(node)
  if (!node.children) return
  for (const name of [...node.children.keys()].sort()) visitTree(node.children.get(name) as TraceNode, visit)
}
