import { type Entry, joinPath, type LayerTree, splitPath } from './entry.ts'

/** What a chain of layers amounts to. */
export interface Tree {
  /** The object at a path, symlinks not followed; the empty path is the root. */
  get(path: string): Entry | undefined
  /** Names in a directory, sorted by code unit; empty for what is no directory. */
  list(path: string): readonly string[]
}

/** A merged tree that also knows where each object came from. */
export interface MergedTree extends Tree {
  /** Position in the chain of the layer that last said something about the path. */
  layerOf(path: string): number | undefined
  /**
   * Everything below and including `from`, parents before children, siblings sorted. A hard link is a `file` here;
   * `inodeOf` tells which belong together.
   */
  walk(from?: string): Generator<Entry>
  /** Equal for names of one inode. */
  inodeOf(path: string): string | undefined
}

interface Node {
  entry: Entry
  layer: number
  /** Of its own; a path may be file and directory in one layer, so it is no name. */
  inode: string
  children: Map<string, Node> | undefined
}

const root: Entry = {
  path: '',
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
}

/**
 * Merges layers, base first (image-spec, layer.md "Applying Changesets"): later entries replace, whiteouts remove,
 * opaque directories hide what is below. Directories that no layer describes exist with mode 0755 of root.
 */
export function mergeLayers(layers: readonly LayerTree[]): MergedTree {
  const { tree, add } = growingTree()
  for (const layer of layers) add(layer)
  return tree
}

/** A merged tree that layers are still added to: whoever looks at it sees them from then on. */
export interface GrowingTree {
  readonly tree: MergedTree
  /** Puts a layer on top, as `mergeLayers` does. */
  readonly add: (layer: LayerTree) => void
}

/** An empty tree to which layers are added. */
export function growingTree(): GrowingTree {
  const top: Node = { entry: root, layer: -1, inode: '', children: undefined }
  let inodes = 0
  let layers = 0
  const freshInode = (): string => String(++inodes)
  const tree: MergedTree = {
    get: path => nodeAt(top, path)?.entry,
    list: path => [...(nodeAt(top, path)?.children?.keys() ?? [])].sort(byCodeUnit),
    layerOf: path => nodeAt(top, path)?.layer,
    inodeOf: path => nodeAt(top, path)?.inode,
    walk: function* (from = '') {
      const node = nodeAt(top, from)
      if (node) yield* walkNode(node)
    },
  }
  return {
    tree,
    add: layer => {
      hideLower(top, layer)
      for (const entry of layer) apply(top, entry, { layer: layers, freshInode })
      layers++
    },
  }
}

/** Whiteouts and opaque marks hide lower layers only, wherever in the archive they stand; so they come first. */
function hideLower(top: Node, layer: LayerTree): void {
  for (const entry of layer) {
    if (entry.type === 'opaque') {
      const node = nodeAt(top, entry.path)
      if (node) node.children = undefined
    } else if (entry.type === 'whiteout') {
      const { parent, name } = splitPath(entry.path)
      nodeAt(top, parent)?.children?.delete(name)
    }
  }
}

interface Applying {
  readonly layer: number
  readonly freshInode: () => string
}

function apply(top: Node, entry: Entry, applying: Applying): void {
  if (entry.type === 'opaque' || entry.type === 'whiteout') return
  const { parent, name } = splitPath(entry.path)
  if (entry.path === '') {
    if (entry.type === 'directory') top.entry = entry
    return
  }
  const directory = directoryAt(top, parent, applying)
  directory.children ??= new Map()
  const before = directory.children.get(name)
  if (entry.type === 'hardlink') {
    const target = nodeAt(top, entry.link ?? '')
    if (!target || target.entry.type === 'directory') return
    directory.children.set(name, {
      entry: { ...target.entry, path: entry.path },
      layer: target.layer,
      inode: target.inode,
      children: undefined,
    })
    return
  }
  const children = entry.type === 'directory' && before?.entry.type === 'directory' ? before.children : undefined
  directory.children.set(name, { entry, layer: applying.layer, inode: applying.freshInode(), children })
}

function directoryAt(top: Node, path: string, { layer, freshInode }: Applying): Node {
  let node = top
  if (path === '') return node
  let walked = ''
  for (const part of path.split('/')) {
    walked = joinPath(walked, part)
    node.children ??= new Map()
    let next = node.children.get(part)
    if (next?.entry.type !== 'directory') {
      next = { entry: { ...root, path: walked }, layer, inode: freshInode(), children: undefined }
      node.children.set(part, next)
    }
    node = next
  }
  return node
}

function nodeAt(top: Node, path: string): Node | undefined {
  let node: Node | undefined = top
  if (path === '') return node
  let start = 0
  while (node !== undefined) {
    const slash = path.indexOf('/', start)
    if (slash === -1) return node.children?.get(path.slice(start))
    node = node.children?.get(path.slice(start, slash))
    start = slash + 1
  }
  return undefined
}

function* walkNode(node: Node): Generator<Entry> {
  yield node.entry
  if (!node.children) return
  for (const name of [...node.children.keys()].sort(byCodeUnit)) {
    const child = node.children.get(name)
    if (child) yield* walkNode(child)
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A tree with nothing but its root. */
export const emptyTree: MergedTree = mergeLayers([])
