// Writes the archives that the ADD samples unpack: `make-sample-archives.ts`. They lie in the repository, so that no
// test needs a compressor; this says how they came about. Needs gzip, bzip2 and xz.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Member, writeArchive } from '../test/oracle/tar-archive.ts'

const time = 1_000_000_000
const nothing = Buffer.alloc(0)
const sample = (path: string): string => fileURLToPath(new URL(`../test/samples/${path}`, import.meta.url))

function member(path: string, kind: Member['kind'], more: Partial<Member> = {}): Member {
  return { path, kind, mode: kind === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, mtime: time, body: nothing, ...more }
}

/** Owners, special bits, both kinds of links, a pipe, an entry for the root, a capability, old times. */
const rich = writeArchive([
  member('', 'directory', { mode: 0o700, uid: 7, gid: 7 }),
  member('app', 'directory', { mode: 0o750, uid: 1000, gid: 50 }),
  member('app/run.sh', 'file', { mode: 0o4755, uid: 1000, gid: 50, body: Buffer.from('#!/bin/sh\necho run\n') }),
  member('app/hard.sh', 'hardlink', { mode: 0o4755, uid: 1000, gid: 50, link: 'app/run.sh' }),
  member('app/link.sh', 'symlink', { mode: 0o777, link: 'run.sh' }),
  member('app/absolute', 'symlink', { mode: 0o777, link: '/etc/passwd' }),
  member('app/pipe', 'fifo', { mode: 0o620, uid: 7 }),
  member('app/ping', 'file', {
    mode: 0o755,
    body: Buffer.from('not really ping\n'),
    // CAP_NET_RAW, permitted and effective (vfs_cap_data, revision 2).
    xattrs: { 'security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex') },
  }),
  member('app/empty', 'directory', { mode: 0o1777 }),
  member('app/old', 'file', { mtime: 86_400, body: Buffer.from('old\n') }),
])

/** No entries for parent directories. */
const bare = writeArchive([
  member('deep/er/file.txt', 'file', { body: Buffer.from('bare\n') }),
  member('opt/tool/README', 'file', { body: Buffer.from('replaced\n') }),
])

/** Over what the base image has: a directory's mode, a file, a link in place of a file. */
const over = writeArchive([
  member('srv/shared', 'directory', { mode: 0o700, uid: 9, gid: 9 }),
  member('srv/shared/notes', 'file', { mode: 0o600, body: Buffer.from('from the archive\n') }),
  member('etc/motd', 'symlink', { mode: 0o777, link: 'os-release' }),
])

function compress(command: string, bytes: Buffer, ...args: string[]): Buffer {
  return execFileSync(command, [...args, '-c'], { input: bytes })
}

writeFileSync(sample('add-archives/context/rich.tar.gz'), compress('gzip', rich, '-9', '-n'))
writeFileSync(sample('add-archives/context/rich.tar.bz2'), compress('bzip2', rich))
writeFileSync(sample('add-archives/context/rich.tar.xz'), compress('xz', rich))
writeFileSync(sample('add-archives/context/rich.tar'), rich)
writeFileSync(sample('add-archive-over/context/over.tgz'), compress('gzip', over, '-9', '-n'))
writeFileSync(sample('add-archive-over/context/bare.tar'), bare)
writeFileSync(sample('add-not-unpacked/context/dir/inner.tar'), bare)
writeFileSync(sample('add-not-unpacked/context/empty.tar.gz'), compress('gzip', nothing, '-n'))
writeFileSync(sample('add-not-unpacked/context/copied.tar.gz'), compress('gzip', bare, '-9', '-n'))
writeFileSync(sample('add-archive-chown/context/bare.tar'), bare)
writeFileSync(sample('file-capabilities/context/rich.tar.gz'), compress('gzip', rich, '-9', '-n'))
