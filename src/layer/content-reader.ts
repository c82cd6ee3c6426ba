import { closeSync, openSync, readSync } from 'node:fs'
import { UserError } from '#diagnostics'
import type { ContentSource, Entry } from '#tree'
import { diskPath } from './entries-file.ts'

/** Reads contents of entries, synchronously, into buffers of the caller. */
export interface ContentReader extends Disposable {
  /** Starts with an entry's content. */
  open(entry: Entry): OpenContent
  /** Fills `target`, which has the entry's size, with its content. */
  readWhole(entry: Entry, target: Uint8Array): void
}

export interface OpenContent extends Disposable {
  /** Fills `target` from `position` of the content on; throws a `UserError` when the file ended early. */
  read(target: Uint8Array, position: number): void
}

/** A reader that keeps the last archive open between entries. */
export function openContentReader(): ContentReader {
  let archive: { readonly path: string; readonly fd: number } | undefined
  const closeArchive = (): void => {
    if (archive) closeSync(archive.fd)
    archive = undefined
  }
  const archiveFd = (path: string): number => {
    if (archive?.path !== path) {
      closeArchive()
      archive = { path, fd: openSync(path, 'r') }
    }
    return (archive as { fd: number }).fd
  }
  const open = (entry: Entry): OpenContent => openSource(entry, sourceOf(entry), archiveFd)
  return {
    open,
    readWhole: (entry, target) => {
      const source = sourceOf(entry)
      if (source.kind === 'file') readWholeFile(source.path, target, entry)
      else if (source.kind === 'range') readFully(archiveFd(source.path), target, { position: source.offset, entry })
      else target.set(source.bytes.subarray(0, target.length))
    },
    [Symbol.dispose]: closeArchive,
  }
}

function sourceOf({ source, path }: Entry): ContentSource {
  if (!source) throw new Error(`nobody has the content of "${path}"`)
  return source
}

function readWholeFile(path: string, target: Uint8Array, entry: Entry): void {
  const fd = openSync(diskPath(path), 'r')
  try {
    readFully(fd, target, { position: 0, entry })
  } finally {
    closeSync(fd)
  }
}

function openSource(entry: Entry, source: ContentSource, archiveFd: (path: string) => number): OpenContent {
  switch (source.kind) {
    case 'bytes':
      return {
        read: (target, position) => {
          target.set(source.bytes.subarray(position, position + target.length))
        },
        [Symbol.dispose]: () => undefined,
      }
    case 'range': {
      const fd = archiveFd(source.path)
      return {
        read: (target, position) => readFully(fd, target, { position: source.offset + position, entry }),
        [Symbol.dispose]: () => undefined,
      }
    }
    case 'file': {
      const fd = openSync(diskPath(source.path), 'r')
      return {
        read: (target, position) => readFully(fd, target, { position, entry }),
        [Symbol.dispose]: () => closeSync(fd),
      }
    }
  }
}

function readFully(fd: number, target: Uint8Array, { position, entry }: { position: number; entry: Entry }): void {
  let done = 0
  while (done < target.length) {
    const count = readSync(fd, target, done, target.length - done, position + done)
    if (count === 0) {
      throw new UserError(
        `"${entry.path}" became shorter while it was read: ${position + done} of ${entry.size} bytes`,
        {
          hint: 'something changed the file during the build; build again when it is at rest',
        },
      )
    }
    done += count
  }
}

/** The whole content of a small file, such as /etc/passwd. */
export function readSmallContent(entry: Entry, limit = 4 << 20): Buffer {
  if (entry.size > limit) {
    throw new UserError(`"/${entry.path}" is too large to be read (${entry.size} bytes)`, {
      hint: `such a file may have at most ${limit} bytes`,
    })
  }
  using reader = openContentReader()
  using content = reader.open(entry)
  const bytes = Buffer.allocUnsafe(entry.size)
  content.read(bytes, 0)
  return bytes
}

/** An entry's content as chunks of at most 1 MiB. */
export async function* readContent(entry: Entry): AsyncGenerator<Buffer> {
  using reader = openContentReader()
  using content = reader.open(entry)
  for (let position = 0; position < entry.size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(1 << 20, entry.size - position))
    content.read(chunk, position)
    yield chunk
    position += chunk.length
  }
}
