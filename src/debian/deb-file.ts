import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { readTar } from '#tar'
import type { Content } from './package-cache.ts'

/** A binary package (deb(5)). */
export interface DebFile {
  /** Members of the control archive by name without `./`: `control`, `md5sums`, `postinst` … */
  readonly control: ReadonlyMap<string, ControlMember>
  /** The data archive, decompressed. To be read once. */
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

/**
 * Reads a package whose size and digest must be as the repository announced; `name` is how errors call it. Throws a
 * `UserError` for other bytes and for what is not a package.
 */
export async function readDebFile(path: string, content: Content, name: string): Promise<DebFile> {
  await checkContent(path, content, name)
  const members = await readArMembers(path, name)
  const [version, ...rest] = members
  const control = rest.find(member => member.name.startsWith('control.tar'))
  const data = rest.find(member => member.name.startsWith('data.tar'))
  if (version?.name !== 'debian-binary' || !control || !data) throw notPackage(name, 'members are missing')
  return {
    control: await readControl(memberBytes(path, control), name),
    data: () => decompress(memberBytes(path, data), { name: `${name}, ${data.name}` }),
  }
}

async function checkContent(path: string, content: Content, name: string): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    size += chunk.length
  }
  if (size === content.size && hash.digest('hex') === content.sha256) return
  throw new UserError(`${name} in the package cache is damaged`, {
    hint: 'remove it from the cache; it is fetched again',
    details: [path],
  })
}

/** The members of an ar archive (ar(5), common format). */
async function readArMembers(path: string, name: string): Promise<readonly ArMember[]> {
  const file = await open(path, 'r')
  try {
    const magic = await readAt(file, 0, 8)
    if (magic.toString('latin1') !== '!<arch>\n') throw notPackage(name, 'it is no ar archive')
    const members: ArMember[] = []
    for (let at = 8; members.length < 16; ) {
      const header = await readAt(file, at, 60)
      if (header.length === 0) return members
      const size = Number(header.toString('latin1', 48, 58).trim())
      if (header.length < 60 || header.toString('latin1', 58) !== '`\n' || !Number.isSafeInteger(size) || size < 0) {
        throw notPackage(name, `there is no ar header at byte ${at}`)
      }
      members.push({ name: header.toString('latin1', 0, 16).trimEnd().replace(/\/$/, ''), offset: at + 60, size })
      at += 60 + size + (size % 2)
    }
    return members
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size)
  const { bytesRead } = await file.read(buffer, 0, size, position)
  return buffer.subarray(0, bytesRead)
}

async function* memberBytes(path: string, { offset, size }: ArMember): AsyncGenerator<Uint8Array> {
  if (size === 0) return
  yield* createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 })
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
