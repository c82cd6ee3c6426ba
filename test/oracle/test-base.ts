import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Member, writeArchive } from './tar-archive.ts'

/** The name under which engines and Slipway get the base image of the samples. */
export const testBaseName = 'slipway-test/base'

/** Every file of the base was last changed then: 2024-01-01T00:00:00Z. */
export const baseTime = 1_704_067_200

export interface Busybox {
  readonly bytes: Buffer
  /** False: no busybox could be had, the base holds a placeholder and nothing can be run in it. */
  readonly runs: boolean
}

const cache = fileURLToPath(new URL('../../node_modules/.cache/slipway-test', import.meta.url))

/**
 * A static busybox: the installed Debian package, else the package downloaded with apt and unpacked beside the
 * installed modules (nothing is installed). Without either a placeholder, so that builds without RUN can still be judged.
 */
export function findBusybox(): Busybox {
  const candidates = ['/bin/busybox', '/usr/bin/busybox', join(cache, 'unpacked/bin/busybox')]
  const found = candidates.find(isStatic)
  if (found !== undefined) return { bytes: readFileSync(found), runs: true }
  const fetched = fetchBusybox()
  return fetched === undefined
    ? { bytes: Buffer.from('#!no busybox on this machine\n'), runs: false }
    : { bytes: readFileSync(fetched), runs: true }
}

/** A static program has no interpreter (ELF program header type 3). */
function isStatic(path: string): boolean {
  if (!existsSync(path)) return false
  const elf = readFileSync(path)
  if (elf.readUInt32BE(0) !== 0x7f454c46) return false
  const [start, entrySize, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)]
  return !Array.from({ length: count }, (_, i) => elf.readUInt32LE(start + i * entrySize)).includes(3)
}

function fetchBusybox(): string | undefined {
  try {
    mkdirSync(cache, { recursive: true })
    execFileSync('apt-get', ['download', 'busybox-static'], { cwd: cache, stdio: 'ignore', timeout: 60_000 })
    const archive = readdirSync(cache).find(name => name.startsWith('busybox-static_') && name.endsWith('.deb'))
    if (archive === undefined) return undefined
    execFileSync('dpkg-deb', ['-x', join(cache, archive), join(cache, 'unpacked')], { stdio: 'ignore' })
    const path = join(cache, 'unpacked/bin/busybox')
    return isStatic(path) ? path : undefined
  } catch {
    return undefined
  }
}

const applets =
  '[ ash awk base64 basename cat chgrp chmod chown cmp cp cut date dd df diff dirname du echo egrep env expr false find ' +
  'grep groups gunzip gzip head hostname id kill ln ls md5sum mkdir mkfifo mknod mktemp mount mv nproc od printf ps pwd ' +
  'readlink realpath rm rmdir sed seq setpriv sh sha256sum sleep sort stat sync tail tar tee test timeout touch tr true ' +
  'truncate uname uniq wc which whoami xargs yes'

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:Application:/home/app:/bin/sh
svc:x:200:300::/srv/svc:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`

const group = `root:x:0:
daemon:x:1:
audio:x:29:app
staff:x:50:app,svc
services:x:300:
app:x:1000:
nogroup:x:65534:
`

/**
 * The root file system of the samples' base image as a tar, always the same bytes for the same busybox: a shell with
 * its applets, users with supplementary groups, links for directories, special bits, a hard link, and some files to
 * replace, hide and rename.
 */
export function testBaseArchive(busybox: Buffer): Buffer {
  return writeArchive([
    ...['', 'bin', 'dev', 'etc', 'etc/skel', 'home'].map(path => directory(path)),
    directory('home/app', 0o750, 1000, 1000),
    ...['lib', 'opt', 'opt/tool', 'opt/tool/lib', 'opt/tool/lib/deep', 'proc'].map(path => directory(path)),
    directory('root', 0o700),
    ...['run', 'srv', 'sys'].map(path => directory(path)),
    directory('srv/shared', 0o2775, 0, 50),
    directory('tmp', 0o1777),
    ...['usr', 'usr/bin', 'usr/lib', 'usr/share', 'usr/share/doc', 'usr/share/doc/tool', 'var'].map(path =>
      directory(path),
    ),
    file('bin/busybox', busybox, 0o755),
    ...applets.split(' ').map(name => symlink(`bin/${name}`, 'busybox')),
    file('etc/group', group),
    file('etc/motd', 'A small base for tests.\n'),
    file('etc/passwd', passwd),
    file('etc/shadow', 'root:*:19000:0:99999:7:::\n', 0o640),
    file('etc/skel/.profile', 'umask 022\n'),
    symlink('etc/os-release', '../usr/lib/os-release'),
    file('home/app/.profile', 'export PS1="$ "\n', 0o600, 1000),
    symlink('lib64', 'lib'),
    file('opt/tool/README', 'tool\n'),
    file('opt/tool/lib/a.txt', 'a\n'),
    file('opt/tool/lib/b.txt', 'b\n'),
    file('opt/tool/lib/deep/c.txt', 'c\n'),
    symlink('opt/current', 'tool'),
    file('srv/shared/notes', 'shared\n', 0o664, 0, 50),
    symlink('usr/bin/env', '../../bin/busybox'),
    file('usr/bin/raise', '#!/bin/sh\nid\n', 0o4755),
    file('usr/lib/os-release', 'ID=slipway-test\nVERSION_ID=1\n'),
    file('usr/share/doc/tool/changelog', 'first\n'),
    file('usr/share/doc/tool/copyright', 'free\n'),
    { ...file('usr/share/doc/tool/changelog.link', ''), kind: 'hardlink', link: 'usr/share/doc/tool/changelog' },
    symlink('var/run', '/run'),
  ])
}

function directory(path: string, mode = 0o755, uid = 0, gid = uid): Member {
  return { path, kind: 'directory', mode, uid, gid, mtime: baseTime, body: Buffer.alloc(0) }
}

function file(path: string, body: string | Buffer, mode = 0o644, uid = 0, gid = uid): Member {
  return { path, kind: 'file', mode, uid, gid, mtime: baseTime, body: Buffer.from(body) }
}

function symlink(path: string, link: string): Member {
  return { path, kind: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime: baseTime, body: Buffer.alloc(0), link }
}
