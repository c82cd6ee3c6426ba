import { chmodSync, chownSync, lutimesSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { diskPath } from '#layer'
import { usualUmask } from '#linux'
import type { Store } from '#store'
import { type Entry, joinPath, lookup, type Tree } from '#tree'
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
  const { resolved, stubs } = planStubs(tree, options.mountPoints)
  const stubLayer = await madeStubs(store, stubs)
  const root = await store.temporary('workspace')
  const [upper, work] = [join(root, 'upper'), join(root, 'work')]
  for (const path of [root, upper, work]) mkdirSync(path, { mode: 0o755 })
  chmodSync(upper, 0o755)
  const lower = [...(stubLayer === undefined ? [] : [stubLayer]), ...directories.toReversed()]
  let isTaken = false
  return {
    // Overlay wants one lower directory at least.
    lower: lower.length > 0 ? lower : [await emptyDirectory(join(root, 'empty'))],
    upper,
    work,
    tree,
    resolved,
    takeUpper: async () => {
      const taken = await store.temporary('written')
      renameSync(upper, taken)
      isTaken = true
      return taken
    },
    // What is left besides the upper directory are a handful of the kernel's own files.
    [Symbol.asyncDispose]: async () =>
      isTaken ? rmSync(root, { recursive: true, force: true }) : rm(root, { recursive: true, force: true }),
  }
}

async function emptyDirectory(path: string): Promise<string> {
  await mkdir(path, { mode: 0o755 })
  return path
}

function requireSameType(path: string, wanted: 'directory' | 'file', found: string): void {
  const isDirectory = found === 'directory'
  if (isDirectory === (wanted === 'directory')) return
  throw new UserError(`cannot mount over "${path}": the image has a ${found} there, a ${wanted} is needed`, {
    hint: 'choose another target for the mount, or remove what is there in an earlier instruction',
  })
}

/** Something to mount over that the image lacks. */
interface Stub {
  readonly path: string
  readonly type: 'directory' | 'file'
  /** The directories above it, from the top: with what they have in the image, or without where they are missing, too. */
  readonly parents: readonly { readonly path: string; readonly entry: Entry | undefined }[]
}

/** Nothing is made yet. */
function planStubs(
  tree: Pick<Tree, 'get'>,
  mountPoints: WorkspaceOptions['mountPoints'],
): { resolved: Map<string, string>; stubs: readonly Stub[] } {
  const resolved = new Map<string, string>()
  const stubs: Stub[] = []
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
    const stub = { path: found.path, type, parents: parentsOf(found.path, tree, stubbed) }
    for (const parent of stub.parents) if (!parent.entry) stubbed.set(parent.path, 'directory')
    stubbed.set(stub.path, type)
    stubs.push(stub)
  }
  return { resolved, stubs }
}

function parentsOf(path: string, tree: Pick<Tree, 'get'>, stubbed: ReadonlyMap<string, unknown>): Stub['parents'] {
  let parent = ''
  return path
    .split('/')
    .slice(0, -1)
    .map(part => {
      parent = joinPath(parent, part)
      const entry = stubbed.has(parent) ? undefined : tree.get(parent)
      if (entry && entry.type !== 'directory') {
        throw new UserError(`cannot mount over "/${path}": "/${parent}" is no directory`, {
          hint: 'choose another target for the mount',
        })
      }
      return { path: parent, entry }
    })
}

/** Layers of stubs that a store already has, until it is closed: nothing ever changes one. */
const stubLayers = new WeakMap<Store, Map<string, Promise<string>>>()

/** The directory with these stubs; the commands of a build mostly need the same. Undefined for none. */
async function madeStubs(store: Store, stubs: readonly Stub[]): Promise<string | undefined> {
  if (stubs.length === 0) return undefined
  const known = stubLayers.get(store) ?? new Map<string, Promise<string>>()
  stubLayers.set(store, known)
  const key = JSON.stringify(stubs)
  const made = known.get(key) ?? store.temporary('stubs').then(directory => makeStubs(directory, stubs))
  known.set(key, made)
  made.catch(() => known.delete(key))
  return made
}

function makeStubs(directory: string, stubs: readonly Stub[]): string {
  using _ = usualUmask()
  mkdirSync(directory, { mode: 0o755 })
  const parents = new Map<string, Entry | undefined>()
  for (const stub of stubs) {
    for (const { path, entry } of stub.parents) {
      if (parents.has(path)) continue
      mkdirSync(diskPath(join(directory, path)), { recursive: true, mode: 0o755 })
      parents.set(path, entry)
    }
    const at = diskPath(join(directory, stub.path))
    if (stub.type === 'directory') mkdirSync(at, { recursive: true, mode: 0o755 })
    else writeFileSync(at, '', { mode: 0o644 })
  }
  for (const [path, entry] of parents) copyAttributes(join(directory, path), entry)
  return directory
}

/** Gives a directory above a stub what it has in the image: overlay shows the topmost's. */
function copyAttributes(directory: string, entry: Entry | undefined): void {
  const at = diskPath(directory)
  if (!entry) {
    utimesSync(at, 0, 0)
    return
  }
  chownSync(at, entry.uid, entry.gid)
  chmodSync(at, entry.mode)
  lutimesSync(at, entry.mtime.seconds, entry.mtime.seconds)
}
