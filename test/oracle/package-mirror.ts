import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type TarInput, writeTar } from '#tar'

/** A package to make: fields of its control file, its scripts, and its files by path (`/` at the end: a directory; `-> x`: a link). */
export interface MadePackage {
  readonly name: string
  readonly version: string
  readonly fields?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

const mtime = { seconds: 1_500_000_000, nanoseconds: 0 }

/** Writes an unsigned repository with a suite `box` for amd64; gives nothing, as its address is the directory's. */
export async function writeMirror(directory: string, packages: readonly MadePackage[], date: string): Promise<void> {
  const stanzas: string[] = []
  for (const item of packages) {
    const control = controlOf(item)
    const bytes = await debFile(item, control)
    const filename = `pool/${item.name}_${item.version}_amd64.deb`
    write(join(directory, filename), bytes)
    stanzas.push(`${control}Filename: ${filename}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`)
  }
  const index = Buffer.from(stanzas.join('\n'))
  write(join(directory, 'dists/box/main/binary-amd64/Packages'), index)
  const release = [
    'Origin: Box',
    'Suite: box',
    'Codename: box',
    `Date: ${date}`,
    'Architectures: amd64',
    'Components: main',
  ]
  const sums = `SHA256:\n ${sha256(index)} ${index.length} main/binary-amd64/Packages\n`
  write(join(directory, 'dists/box/InRelease'), Buffer.from(`${release.join('\n')}\n${sums}`))
}

function controlOf({ name, version, fields = {} }: MadePackage): string {
  const lines = Object.entries({ Package: name, Version: version, Architecture: 'amd64', ...fields })
  return lines.map(([key, value]) => `${key}: ${value}\n`).join('')
}

/** deb(5): an ar archive of three members. */
async function debFile({ files, scripts = {} }: MadePackage, control: string): Promise<Buffer> {
  const info = { control, ...scripts }
  const members = [
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(await tar(Object.entries(info)))],
    ['data.tar.gz', gzipSync(await tar(Object.entries(files)))],
  ] as const
  const parts = members.flatMap(([name, bytes]) => [
    Buffer.from(
      `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`,
    ),
    bytes,
    Buffer.alloc(bytes.length % 2, '\n'),
  ])
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts])
}

async function tar(files: readonly (readonly [string, string])[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeTar(files.map(([path, content]) => member(path, content))))
    chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function member(path: string, content: string): TarInput {
  const link = content.startsWith('-> ') ? content.slice(3) : undefined
  const type = path.endsWith('/') ? 'directory' : link === undefined ? 'file' : 'symlink'
  const bytes = Buffer.from(content)
  const header = {
    path: `./${path.replace(/\/$/, '')}`,
    type,
    mode: type === 'file' ? 0o644 : 0o755,
    uid: 0,
    gid: 0,
    size: type === 'file' ? bytes.length : 0,
    mtime,
    ...(link !== undefined && { link }),
  } as const
  return type === 'file' ? { header, content: [bytes] } : { header }
}

function write(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
