import { chmodSync, chownSync, lstatSync, lutimesSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { diskPath } from '#layer'
import { usualUmask } from '#linux'
import type { Store } from '#store'
import { joinPath, lookup, type Tree } from '#tree'
import type { Chain } from './chain-tree.ts'
import { directoryChain } from './directory-chain.ts'
import { type UnpackOptions, unpackedChain } from './unpacked-chain.ts'

export interface WorkspaceOptions extends UnpackOptions {
  /** What will be mounted over: absolute paths, made where they are missing, in order. */
  readonly mountPoints: readonly { readonly path: string; readonly type: 'directory' | 'file' }[]
}

/** A writable directory on top of a chain; nothing is mounted yet, `linux/` does that in the sandbox's namespace. */
export interface Workspace extends AsyncDisposable {
  /** Unpacked layers, topmost first. */
  readonly lower: readonly string[]
  readonly upper: string
  readonly work: string
  /** The chain as it was before, for look-ups of users and programs. */
  readonly tree: Pick<Tree, 'get'>
  /** Takes what was written out of the workspace; returns the path of the directory, which is the caller's then. */
  readonly takeUpper: () => Promise<string>
  /** Where each mount point really is, once symlinks inside the root are followed. */
  readonly resolved: ReadonlyMap<string, string>
}

/**
 * Prepares directories for an overlay. Mount points that the image lacks are put into a layer of their own between image
 * and upper directory, with the attributes that their parents have in the image: so they never appear in the result, and
 * neither does a changed time of their parents (section 11.6 of the language page).
 */
export async function openWorkspace(store: Store, chain: Chain, options: WorkspaceOptions): Promise<Workspace> {
  const layers = await unpackedChain(store, chain, options)
  const directories = layers.map(layer => store.layers.directory(layer))
  const tree = directoryChain(directories)
  const root = await store.temporary('workspace')
  const [upper, work, stubs] = [join(root, 'upper'), join(root, 'work'), join(root, 'stubs')]
  await mkdir(upper, { recursive: true, mode: 0o755 })
  await mkdir(work, { mode: 0o755 })
  chmodSync(upper, 0o755)
  const { resolved, made } = makeStubs(stubs, tree, options.mountPoints)
  const lower = [...(made ? [stubs] : []), ...directories.toReversed()]
  return {
    // Overlay wants one lower directory at least.
    lower: lower.length > 0 ? lower : [await emptyDirectory(join(root, 'empty'))],
    upper,
    work,
    tree,
    resolved,
    takeUpper: async () => {
      const taken = await store.temporary('written')
      await rename(upper, taken)
      return taken
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

async function emptyDirectory(path: string): Promise<string> {
  await mkdir(path, { mode: 0o755 })
  return path
}

function makeStubs(
  stubs: string,
  tree: Pick<Tree, 'get'>,
  mountPoints: WorkspaceOptions['mountPoints'],
): { resolved: Map<string, string>; made: boolean } {
  using _ = usualUmask()
  const resolved = new Map<string, string>()
  const stubbed = new Map<string, 'directory' | 'file'>()
  const both: Pick<Tree, 'get'> = {
    get: path => {
      const type = stubbed.get(path)
      return type === undefined
        ? tree.get(path)
        : { path, type, mode: 0o755, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } }
    },
  }
  for (const { path, type } of mountPoints) {
    const found = lookup(both, path)
    resolved.set(path, `/${found.path}`)
    if (found.entry) {
      requireSameType(path, type, found.entry.type)
      continue
    }
    makeStub(stubs, tree, { path: found.path, type, stubbed })
  }
  return { resolved, made: stubbed.size > 0 }
}

function requireSameType(path: string, wanted: 'directory' | 'file', found: string): void {
  const isDirectory = found === 'directory'
  if (isDirectory === (wanted === 'directory')) return
  throw new UserError(`cannot mount over "${path}": the image has a ${found} there, a ${wanted} is needed`, {
    hint: 'choose another target for the mount, or remove what is there in an earlier instruction',
  })
}

interface Stub {
  readonly path: string
  readonly type: 'directory' | 'file'
  readonly stubbed: Map<string, 'directory' | 'file'>
}

function makeStub(stubs: string, tree: Pick<Tree, 'get'>, { path, type, stubbed }: Stub): void {
  let parent = ''
  mkdirSync(stubs, { recursive: true, mode: 0o755 })
  for (const part of path.split('/').slice(0, -1)) {
    parent = joinPath(parent, part)
    if (lstatSync(diskPath(join(stubs, parent)), { throwIfNoEntry: false })) continue
    const entry = tree.get(parent)
    if (entry && entry.type !== 'directory') {
      throw new UserError(`cannot mount over "/${path}": "/${parent}" is no directory`, {
        hint: 'choose another target for the mount',
      })
    }
    mkdirSync(diskPath(join(stubs, parent)), { mode: 0o755 })
    if (!entry) stubbed.set(parent, 'directory')
  }
  const at = diskPath(join(stubs, path))
  if (type === 'directory') mkdirSync(at, { mode: 0o755 })
  else writeFileSync(at, '', { mode: 0o644 })
  stubbed.set(path, type)
  copyAttributes(stubs, tree, path)
}

/** Gives the directories above a stub what they have in the image, deepest first: overlay shows the topmost's. */
function copyAttributes(stubs: string, tree: Pick<Tree, 'get'>, path: string): void {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const entry = tree.get(parent)
    const at = diskPath(join(stubs, parent))
    if (!entry) {
      utimesSync(at, 0, 0)
      continue
    }
    chownSync(at, entry.uid, entry.gid)
    chmodSync(at, entry.mode)
    lutimesSync(at, entry.mtime.seconds, entry.mtime.seconds)
  }
}
