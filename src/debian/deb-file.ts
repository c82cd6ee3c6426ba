import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { readTar } from '#tar'
import type { Content } from './package-cache.ts'

/** A binary package (deb(5)). */
export interface DebFile {
  /** Members of the control archive by name without `./`: `control`, `md5sums`, `postinst` … */
  readonly control: ReadonlyMap<string, ControlMember>
  /** The data archive, decompressed. To be read once; no piece is to be kept once the next is asked for. */
  data(): AsyncIterable<Uint8Array>
}

export interface ControlMember {
  readonly bytes: Buffer
  /** Permission bits. */
  readonly mode: number
}

interface ArMember {
  readonly name: string
  readonly offset: number
  readonly size: number
}

const controlLimit = 64 * 1024 * 1024

/** Files are read in pieces of this size: the page cache has them, or they are few, so that nothing waits for a thread. */
const pieceSize = 1 << 18

/**
 * Reads a package whose size and digest must be as the repository announced; `name` is how errors call it. Throws a
 * `UserError` for other bytes and for what is not a package.
 */
export async function readDebFile(path: string, content: Content, name: string): Promise<DebFile> {
  const file = openSync(path, 'r')
  try {
    if (!(await isContent(file, content))) {
      throw new UserError(`${name} in the package cache is damaged`, {
        hint: 'remove it from the cache; it is fetched again',
        details: [path],
      })
    }
    const [version, ...rest] = readArMembers(file, name)
    const control = rest.find(member => member.name.startsWith('control.tar'))
    const data = rest.find(member => member.name.startsWith('data.tar'))
    if (version?.name !== 'debian-binary' || !control || !data) throw notPackage(name, 'members are missing')
    return {
      control: await readControl(pieces(file, control), name),
      data: () => decompress(memberBytes(path, data), { name: `${name}, ${data.name}`, transient: true }),
    }
  } finally {
    closeSync(file)
  }
}

async function isContent(file: number, { size, sha256 }: Content): Promise<boolean> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(Math.min(pieceSize, size + 1))
  for (let at = 0; ; ) {
    const read = readSync(file, buffer, 0, buffer.length, at)
    at += read
    if (read === 0 || at > size) return at === size && hash.digest('hex') === sha256
    hash.update(buffer.subarray(0, read))
    if (at % (16 * pieceSize) === 0) await setImmediate()
  }
}

/** The members of an ar archive (ar(5), common format). */
function readArMembers(file: number, name: string): readonly ArMember[] {
  const magic = readAt(file, 0, 8)
  if (magic.toString('latin1') !== '!<arch>\n') throw notPackage(name, 'it is no ar archive')
  const members: ArMember[] = []
  for (let at = 8; members.length < 16; ) {
    const header = readAt(file, at, 60)
    if (header.length === 0) break
    const size = Number(header.toString('latin1', 48, 58).trim())
    if (header.length < 60 || header.toString('latin1', 58) !== '`\n' || !Number.isSafeInteger(size) || size < 0) {
      throw notPackage(name, `there is no ar header at byte ${at}`)
    }
    members.push({ name: header.toString('latin1', 0, 16).trimEnd().replace(/\/$/, ''), offset: at + 60, size })
    at += 60 + size + (size % 2)
  }
  return members
}

function readAt(file: number, position: number, size: number): Buffer {
  const buffer = Buffer.alloc(size)
  return buffer.subarray(0, readSync(file, buffer, 0, size, position))
}

/** The bytes of a member of an open file; ends where the file does. Each piece is a buffer of its own. */
async function* pieces(file: number, { offset, size }: ArMember): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const bytes = readAt(file, offset + at, Math.min(pieceSize, size - at))
    if (bytes.length === 0) return
    yield bytes
    at += bytes.length
  }
}

async function* memberBytes(path: string, member: ArMember): AsyncGenerator<Uint8Array> {
  const file = openSync(path, 'r')
  try {
    yield* pieces(file, member)
  } finally {
    closeSync(file)
  }
}

async function readControl(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): Promise<ReadonlyMap<string, ControlMember>> {
  const members = new Map<string, ControlMember>()
  let total = 0
  for await (const member of readTar(decompress(bytes, { name }), { name })) {
    const { header } = member
    if (header.type !== 'file') continue
    total += header.size
    if (total > controlLimit) throw notPackage(name, 'its control archive is too large')
    const chunks: Uint8Array[] = []
    for await (const chunk of member.content()) chunks.push(Buffer.from(chunk))
    members.set(header.path.replace(/^(\.?\/)+/, ''), { bytes: Buffer.concat(chunks), mode: header.mode & 0o777 })
  }
  if (!members.has('control')) throw notPackage(name, 'it has no control file')
  return members
}

function notPackage(name: string, problem: string): UserError {
  return new UserError(`${name} is not a Debian package: ${problem}`, { hint: 'the mirror serves something else' })
}
