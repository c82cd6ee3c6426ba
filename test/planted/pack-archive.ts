import { execFileSync } from 'node:child_process'
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { writeArchive } from '../oracle/tar-archive.ts'

/** A tar with one file. */
export function tarOf(path: string, body: Buffer): Buffer {
  return writeArchive([{ path, kind: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0, body }])
}

/** A zip with one deflated file (PKWARE APPNOTE 4.3.6). */
export function zipOf(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(crc32(content), 10)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(content.length, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, Buffer.from(name), packed])
  const rest = Buffer.alloc(14)
  const central = Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\0'), fields, rest, Buffer.from(name)])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\u0005\u0006'), end])
}

/** A Debian package (deb(5)) with one file. */
function debOf(path: string, content: Buffer): Buffer {
  const member = (name: string, body: Buffer): Buffer[] => [
    Buffer.from(`${name.padEnd(16)}0           0     0     100644  ${String(body.length).padEnd(10)}\`\n`),
    body,
    Buffer.alloc(body.length % 2, '\n'),
  ]
  return Buffer.concat([
    Buffer.from('!<arch>\n'),
    ...member('debian-binary', Buffer.from('2.0\n')),
    ...member('control.tar.gz', gzipSync(tarOf('control', Buffer.from('Package: acme\nVersion: 1.0\n')))),
    ...member('data.tar.xz', through('xz', tarOf(path, content))),
  ])
}

/** A Ruby gem with one file: a tar that holds a compressed one. */
function gemOf(path: string, content: Buffer): Buffer {
  return tarOf('data.tar.gz', gzipSync(tarOf(path, content)))
}

function through(program: 'xz' | 'bzip2', bytes: Buffer): Buffer {
  return execFileSync(program, ['-c'], { input: bytes, maxBuffer: 1 << 26 })
}

/** An archive with one file, of the format that its name says; with an empty `path` only compressed. */
export function packArchive(archive: string, path: string, content: Buffer): Buffer {
  const inner = path === '' ? content : tarOf(path, content)
  const forms: Readonly<Record<string, () => Buffer>> = {
    deb: () => debOf(path, content),
    gem: () => gemOf(path, content),
    tar: () => inner,
    gz: () => gzipSync(inner),
    tgz: () => gzipSync(inner),
    crate: () => gzipSync(inner),
    xz: () => through('xz', inner),
    bz2: () => through('bzip2', inner),
    zst: () => zstdCompressSync(inner),
  }
  const form = forms[/[^.]+$/.exec(archive)?.[0] ?? '']
  return form ? form() : zipOf(path, content)
}
