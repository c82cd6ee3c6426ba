import { createHash } from 'node:crypto'
import { type Member, readArchive } from './tar-archive.ts'

/**
 * What a chain of layer tars amounts to, merged in the plainest way (image-spec, layer.md): whiteouts of a layer hide
 * what lies below it, then its members are laid on top. Independent of Slipway's own layer algebra.
 */
export interface Node {
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'char' | 'block'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly size?: number
  readonly sha256?: string
  /** The content of a short text, so that expectations and differences can be read. */
  readonly text?: string
  readonly target?: string
  readonly device?: readonly [number, number]
  readonly capability?: string
}

/** Absolute path → node; names of one hard-linked file share one object. Contains `/`. */
export type MergedTree = Map<string, Node>

/** Merges layer tars, lowest first. Throws where a layer is not well formed: a member without parent, a link to nothing. */
export function mergeLayers(layers: readonly Buffer[]): MergedTree {
  const tree: MergedTree = new Map([['/', { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0 }]])
  for (const layer of layers) {
    const members = readArchive(layer)
    for (const member of members) hide(tree, member)
    for (const member of members) if (!isWhiteout(member)) place(tree, member)
  }
  return tree
}

function isWhiteout(member: Member): boolean {
  return baseName(member.path).startsWith('.wh.')
}

function hide(tree: MergedTree, member: Member): void {
  const name = baseName(member.path)
  if (!name.startsWith('.wh.')) return
  const parent = parentOf(`/${member.path}`)
  if (name === '.wh..wh..opq') removeBelow(tree, parent)
  else remove(tree, join(parent, name.slice(4)))
}

function place(tree: MergedTree, member: Member): void {
  const path = `/${member.path}`
  const parent = tree.get(parentOf(path))
  if (parent === undefined) throw new Error(`${path}: the layer has no entry for its parent directory`)
  if (parent.type !== 'directory') throw new Error(`${path}: its parent is a ${parent.type}`)
  const before = tree.get(path)
  const node = member.kind === 'hardlink' ? linked(tree, member) : toNode(member)
  if (before !== undefined && (before.type !== 'directory' || node.type !== 'directory')) remove(tree, path)
  tree.set(path, node)
}

function linked(tree: MergedTree, member: Member): Node {
  const node = tree.get(`/${member.link ?? ''}`)
  if (node === undefined || node.type === 'directory')
    throw new Error(`/${member.path}: links to /${member.link}, which is no file`)
  return node
}

function toNode(member: Member): Node {
  const capability = member.xattrs?.['security.capability']
  return {
    type: member.kind === 'hardlink' ? 'file' : member.kind,
    mode: member.mode,
    uid: member.uid,
    gid: member.gid,
    mtime: member.mtime,
    ...(member.kind === 'file' ? contentOf(member.body) : {}),
    ...(member.kind === 'symlink' ? { target: member.link ?? '' } : {}),
    ...(member.device === undefined ? {} : { device: member.device }),
    ...(capability === undefined ? {} : { capability: capability.toString('hex') }),
  }
}

function contentOf(body: Buffer): Pick<Node, 'size' | 'sha256' | 'text'> {
  const text = body.toString('utf8')
  const readable =
    body.length <= 600 && Buffer.from(text).equals(body) && /^[^\p{Cc}]*$/u.test(text.replace(/[\n\t]/g, ''))
  return {
    size: body.length,
    ...(readable ? { text } : { sha256: createHash('sha256').update(body).digest('hex') }),
  }
}

function removeBelow(tree: MergedTree, directory: string): void {
  const prefix = directory === '/' ? '/' : `${directory}/`
  for (const path of tree.keys()) if (path !== '/' && path.startsWith(prefix)) tree.delete(path)
}

function remove(tree: MergedTree, path: string): void {
  removeBelow(tree, path)
  tree.delete(path)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}
