import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  chmodSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { UserError } from '#diagnostics'
import { type Entry, type LayerTree, splitPath } from '#tree'
import { type ContentReader, openContentReader } from './content-reader.ts'
import { diskPath } from './entries-file.ts'

/** System calls that node lacks; `linux/` has them. Paths are strings, or bytes where a name is not UTF-8. */
export interface NodeCalls {
  setXattr(path: string | Buffer, name: string, value: Uint8Array): void
  makeNode(
    path: string | Buffer,
    node: {
      readonly type: 'char' | 'block' | 'fifo'
      readonly mode: number
      readonly major: number
      readonly minor: number
    },
  ): void
}

export interface WriteOptions {
  /** `overlay`: whiteouts and opaque directories as overlayfs wants them in a lower directory; `skip`: left out. */
  readonly whiteouts:
    | { readonly kind: 'overlay'; readonly opaqueAttribute: 'trusted.overlay.opaque' | 'user.overlay.opaque' }
    | { readonly kind: 'skip' }
  /** False: everything belongs to this process's user, as in `--output type=local` of an ordinary user. */
  readonly owners: boolean
  readonly calls: NodeCalls
  /** Attributes of a directory that the entries need but do not describe (an incomplete archive). */
  readonly missingDirectory?: (path: string) => Entry | undefined
  /** The content of a file in pieces, where its source does not say; a piece is done with when the next is asked for. */
  readonly contents?: (entry: Entry) => Iterable<Uint8Array>
  readonly signal?: AbortSignal
}

const yieldEvery = 256

/**
 * Writes entries below an empty directory. Nothing is followed: an entry below something that is no directory, or a
 * link whose target is not among the entries, is a `UserError` about a hostile or damaged layer.
 */
export async function writeDirectory(entries: LayerTree, directory: string, options: WriteOptions): Promise<void> {
  using writer = openDirectoryWriter(directory, options)
  let count = 0
  for (const entry of entries) {
    if (++count % yieldEvery === 0) {
      await setImmediate()
      options.signal?.throwIfAborted()
    }
    writer.write(entry)
  }
  writer.finish()
}

/** The same, entry by entry, for who does not have them all yet. */
export interface DirectoryWriter extends Disposable {
  write(entry: Entry): void
  /** Whether the directory that holds the path was among the entries, or is the root. */
  hasParent(path: string): boolean
  /** After the last entry. */
  finish(): void
}

export function openDirectoryWriter(directory: string, options: WriteOptions): DirectoryWriter {
  const reader = openContentReader()
  const directories = new Map<string, Entry | undefined>([['', undefined]])
  const usual = findUsual(directory)
  const buffer = Buffer.allocUnsafeSlow(1 << 20)
  const writer: Writer = { root: directory, options, reader, directories, buffer, usual }
  return {
    write: entry => {
      if (entry.path !== '') writeEntry(writer, entry)
    },
    hasParent: path => directories.has(splitPath(path).parent),
    finish: () => {
      // Children changed their directories' times: set them last, deepest first.
      for (const [path, entry] of [...directories].reverse()) {
        if (!entry) continue
        const at = diskPath(join(directory, path))
        utimesSync(at, entry.mtime.seconds, seconds(entry))
      }
    },
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
}

interface Writer {
  readonly root: string
  readonly options: WriteOptions
  readonly reader: ContentReader
  /** Directories that stand, by path; the value sets their times at the end. */
  readonly directories: Map<string, Entry | undefined>
  readonly buffer: Buffer
  readonly usual: Usual
}

/** What a new object gets by itself: from the process, its umask, the file system, a default access control list. */
interface Usual {
  readonly uid: number
  readonly gid: number
  /** Whether a file that is opened with the entry's mode gets just that. */
  allows(entry: Entry): boolean
}

/** Tried, as only the file system knows all of it. */
function findUsual(directory: string): Usual {
  const at = join(directory, `.usual-${process.pid}`)
  const fd = openSync(at, 'wx', 0o777)
  try {
    const { mode, uid, gid } = fstatSync(fd)
    const refused = ~mode & 0o777
    return { uid, gid, allows: entry => (entry.mode & (0o7000 | refused)) === 0 }
  } finally {
    closeSync(fd)
    unlinkSync(at)
  }
}

function writeEntry(writer: Writer, entry: Entry): void {
  const { root, options } = writer
  ensureDirectory(writer, splitPath(entry.path).parent)
  // Put together without being normalised: paths of entries are clean.
  const at = diskPath(`${root}/${entry.path}`)
  switch (entry.type) {
    case 'directory':
      makeDirectory(writer, entry)
      return
    case 'file':
      writeFile(writer, entry, at)
      return
    case 'symlink':
      symlinkSync(diskPath(entry.link ?? ''), at)
      setOwner(at, entry, writer)
      setXattrs(at, entry, options)
      lutimesSync(at, seconds(entry), seconds(entry))
      return
    case 'hardlink': {
      const target = entry.link ?? ''
      if (!writer.directories.has(splitPath(target).parent))
        throw hostile(entry, `is a hard link to "${target}", which is not in the layer`)
      linkSync(diskPath(join(root, target)), at)
      return
    }
    case 'fifo':
    case 'char':
    case 'block':
      options.calls.makeNode(at, {
        type: entry.type,
        mode: entry.mode,
        major: entry.device?.major ?? 0,
        minor: entry.device?.minor ?? 0,
      })
      setOwner(at, entry, writer)
      chmodSync(at, entry.mode)
      utimesSync(at, seconds(entry), seconds(entry))
      return
    case 'whiteout':
      if (options.whiteouts.kind === 'overlay')
        options.calls.makeNode(at, { type: 'char', mode: 0, major: 0, minor: 0 })
      return
    case 'opaque':
      if (options.whiteouts.kind === 'overlay') {
        ensureDirectory(writer, entry.path)
        options.calls.setXattr(at, options.whiteouts.opaqueAttribute, Buffer.from('y'))
      }
      return
  }
}

function ensureDirectory(writer: Writer, path: string): void {
  if (writer.directories.has(path)) return
  ensureDirectory(writer, splitPath(path).parent)
  const known = writer.options.missingDirectory?.(path)
  makeDirectory(
    writer,
    known ?? { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } },
  )
}

function makeDirectory(writer: Writer, entry: Entry): void {
  const at = diskPath(join(writer.root, entry.path))
  let isNew = true
  try {
    mkdirSync(at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!lstatSync(at).isDirectory()) throw hostile(entry, 'is a directory but stands for something else before')
    isNew = false
  }
  if (isNew) setOwner(at, entry, writer)
  else if (writer.options.owners) lchownSync(at, entry.uid, entry.gid)
  chmodSync(at, entry.mode)
  setXattrs(at, entry, writer.options)
  writer.directories.set(entry.path, entry)
}

function writeFile(writer: Writer, entry: Entry, at: string | Buffer): void {
  const { options, usual } = writer
  const mode = usual.allows(entry) ? entry.mode : 0o600
  const fd = openSync(at, 'wx', mode)
  try {
    for (const bytes of contentOf(writer, entry))
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    const owned = isOwned(writer, entry)
    if (!owned) fchownSync(fd, entry.uid, entry.gid)
    // After chown, which clears the set-id bits, and after the content, which clears security.capability.
    if (mode !== entry.mode) fchmodSync(fd, entry.mode)
    setXattrs(at, entry, options)
    futimesSync(fd, seconds(entry), seconds(entry))
  } finally {
    closeSync(fd)
  }
}

function* contentOf({ options, reader, buffer }: Writer, entry: Entry): Iterable<Uint8Array> {
  if (entry.size === 0) return
  if (options.contents) {
    yield* options.contents(entry)
  } else if (entry.size <= buffer.length) {
    const content = buffer.subarray(0, entry.size)
    reader.readWhole(entry, content)
    yield content
  } else {
    using content = reader.open(entry)
    for (let position = 0; position < entry.size; ) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, entry.size - position))
      content.read(chunk, position)
      yield chunk
      position += chunk.length
    }
  }
}

/** Whether a new object has its owner without being told: most have, and to set what is there costs a system call each. */
function isOwned({ options, usual, directories }: Writer, entry: Entry): boolean {
  if (!options.owners) return true
  if (entry.uid !== usual.uid || entry.gid !== usual.gid) return false
  // What is made in a directory with the set-group-id bit gets its group.
  return ((directories.get(splitPath(entry.path).parent)?.mode ?? 0) & 0o2000) === 0
}

function setOwner(at: string | Buffer, entry: Entry, writer: Writer): void {
  if (!isOwned(writer, entry)) lchownSync(at, entry.uid, entry.gid)
}

function setXattrs(at: string | Buffer, entry: Entry, { calls, owners }: WriteOptions): void {
  if (!entry.xattrs) return
  // Only root may set the others; an ordinary user's copy of the files does without them.
  for (const [name, value] of entry.xattrs) if (owners || name.startsWith('user.')) calls.setXattr(at, name, value)
}

function seconds(entry: Entry): number {
  return entry.mtime.seconds + entry.mtime.nanoseconds / 1e9
}

function hostile(entry: Entry, problem: string): UserError {
  return new UserError(`"${entry.path}" ${problem}`, {
    hint: 'the layer is damaged or made to do harm; do not use this image',
  })
}
