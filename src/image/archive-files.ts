import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { UserError } from '#diagnostics'
import { decompress, sniffCompression, sniffSize } from '#layer'
import { createTarParser, type TarHeader, type TarParser } from '#tar'

/** The files of an archive or directory, for reading in any order. */
export interface ArchiveFiles extends AsyncDisposable {
  /** How errors call it. */
  readonly name: string
  has(path: string): Promise<boolean>
  /** A file's bytes. Throws a `UserError` when it isn't there. */
  read(path: string): AsyncIterable<Uint8Array>
  /** A small file whole. Throws a `UserError` when it isn't there or has more than 8 MiB. */
  readSmall(path: string): Promise<Buffer>
}

const smallLimit = 8 << 20
const memberLimit = 100_000
const pieceSize = 1 << 18

export interface ArchiveFilesOptions {
  /** A directory for the plain form of a compressed or streamed archive. */
  readonly scratch: string
  /** How errors call the archive; default: its path. */
  readonly name?: string
  /** Ends the reading of what may be endless. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a directory, or an archive compressed by anything: an uncompressed one on disk is read where it lies, any other
 * is first written, uncompressed, into `scratch` (a directory), until it is disposed. Throws a `UserError` for what
 * isn't an archive.
 */
export async function openArchiveFiles(
  source: string | AsyncIterable<Uint8Array>,
  options: ArchiveFilesOptions,
): Promise<ArchiveFiles> {
  if (typeof source !== 'string') return spoolArchive(source, options.name ?? 'the image archive', options)
  const name = options.name ?? source
  const found = await stat(source).catch((error: unknown) => {
    throw new UserError(`can't read ${name}: ${(error as Error).message}`, { hint: 'name an archive or an OCI layout' })
  })
  if (found.isDirectory()) return directoryFiles(source, name)
  if (found.isFile() && (await isPlain(source))) {
    return tarFiles(source, {
      name,
      members: await seekMembers(source, name, options.signal),
      dispose: async () => undefined,
    })
  }
  return spoolArchive(createReadStream(source, { highWaterMark: pieceSize }), name, options)
}

async function isPlain(path: string): Promise<boolean> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffSize), 0, sniffSize, 0)
  return sniffCompression(buffer.subarray(0, bytesRead)) === 'none'
}

/** A regular file's place, or where a link leads. */
type Member = { readonly offset: number; readonly size: number } | { readonly link: string }

interface Collected {
  readonly members: ReadonlyMap<string, Member>
  readonly parser: TarParser
}

function collectMembers(name: string): Collected {
  const members = new Map<string, Member>()
  const onHeader = (header: TarHeader, offset: number | undefined) => {
    const path = normal(header.path)
    if (header.type === 'file' && offset !== undefined) members.set(path, { offset, size: header.size })
    else if (header.type === 'hardlink') members.set(path, { link: normal(header.link ?? '') })
    else if (header.type === 'symlink') {
      members.set(path, { link: normal(posix.join(posix.dirname(path), header.link ?? '')) })
    }
    if (members.size > memberLimit) {
      throw new UserError(`${name} has more than ${memberLimit} members`, { hint: 'it is not an image archive' })
    }
  }
  const nothing = () => undefined
  const parser = createTarParser({ onHeader, onContent: nothing, onHole: nothing, onMemberEnd: nothing }, { name })
  return { members, parser }
}

/** Without leading slashes and dots; what leads out of the archive stays `../…` and is never found. */
function normal(path: string): string {
  return posix.normalize(path).replace(/^\/+/, '')
}

/** Reads the headers only. */
async function seekMembers(
  path: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Member>> {
  const { members, parser } = collectMembers(name)
  await using file = await open(path)
  const { size } = await file.stat()
  const buffer = Buffer.alloc(1 << 14)
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted()
    const skip = Math.min(parser.skippable(), size - position)
    parser.skip(skip)
    position += skip
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) break
    parser.push(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
  parser.end()
  return members
}

async function spoolArchive(
  source: AsyncIterable<Uint8Array>,
  name: string,
  { scratch, signal }: ArchiveFilesOptions,
): Promise<ArchiveFiles> {
  const path = join(scratch, `archive-${randomUUID()}`)
  const dispose = () => rm(path, { force: true })
  const { members, parser } = collectMembers(name)
  try {
    await using file = await open(path, 'wx', 0o600)
    for await (const bytes of decompress(source, { name })) {
      signal?.throwIfAborted()
      parser.push(bytes)
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    }
    parser.end()
  } catch (error) {
    await dispose()
    throw error
  }
  return tarFiles(path, { name, members, dispose })
}

interface TarPlace {
  readonly name: string
  readonly members: ReadonlyMap<string, Member>
  readonly dispose: () => Promise<void>
}

function tarFiles(path: string, { name, members, dispose }: TarPlace): ArchiveFiles {
  const find = (wanted: string) => {
    let member = members.get(normal(wanted))
    for (let hops = 0; member !== undefined && 'link' in member; hops++) {
      member = hops < 40 ? members.get(member.link) : undefined
    }
    return member
  }
  const found = (wanted: string) => {
    const member = find(wanted)
    if (member === undefined || 'link' in member) throw missing(name, wanted)
    return member
  }
  async function* read(wanted: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset, size } = found(wanted)
    if (size === 0) return
    yield* createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: pieceSize })
  }
  return {
    name,
    has: wanted => Promise.resolve(find(wanted) !== undefined),
    read,
    async readSmall(wanted) {
      if (found(wanted).size > smallLimit) throw tooLarge(name, wanted)
      const parts: Uint8Array[] = []
      for await (const part of read(wanted)) parts.push(part)
      return Buffer.concat(parts)
    },
    [Symbol.asyncDispose]: dispose,
  }
}

function directoryFiles(directory: string, name: string): ArchiveFiles {
  const place = (wanted: string) => {
    const path = normal(wanted)
    if (path === '..' || path.startsWith('../')) throw missing(name, wanted)
    return join(directory, path)
  }
  const sizeOf = async (wanted: string) => {
    const found = await stat(place(wanted)).catch(() => undefined)
    return found?.isFile() === true ? found.size : undefined
  }
  return {
    name,
    has: async wanted => (await sizeOf(wanted)) !== undefined,
    async *read(wanted) {
      if ((await sizeOf(wanted)) === undefined) throw missing(name, wanted)
      yield* createReadStream(place(wanted), { highWaterMark: pieceSize })
    },
    async readSmall(wanted) {
      const size = await sizeOf(wanted)
      if (size === undefined) throw missing(name, wanted)
      if (size > smallLimit) throw tooLarge(name, wanted)
      return readFile(place(wanted))
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function missing(name: string, path: string): UserError {
  return new UserError(`${name} has no file ${JSON.stringify(path)}`, {
    hint: 'it is not an image archive or layout, or not a whole one',
  })
}

function tooLarge(name: string, path: string): UserError {
  return new UserError(`${name}: ${JSON.stringify(path)} is larger than ${smallLimit >> 20} MiB`, {
    hint: 'it is not an image archive or layout',
  })
}
