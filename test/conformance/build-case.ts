import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Member, writeArchive } from '../oracle/tar-archive.ts'

/** One object of a build context. A later object may lie in, or refer to, an earlier one. */
export interface ContextObject {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'archive'
  readonly mode: number
  /** Content of a file, target of a link, compression of an archive. */
  readonly value: string
}

/** A build to be done by two builders. Every part can be taken away and the rest is still a case. */
export interface BuildCase {
  readonly name: string
  /** One instruction each; may span several lines. */
  readonly instructions: readonly string[]
  readonly objects: readonly ContextObject[]
  readonly ignore: readonly string[]
  readonly buildArgs: Readonly<Record<string, string>>
  /** Slipway may use results of the cases before. */
  readonly cached: boolean
}

/** 2024-02-03T04:05:06Z. */
const contextTime = 1_706_933_106

export function dockerfileOf(buildCase: BuildCase): string {
  return `${buildCase.instructions.join('\n')}\n`
}

/** Writes Dockerfile and context below a new folder. */
export function layOutCase(buildCase: BuildCase, folder: string): { dockerfile: string; context: string } {
  const context = join(folder, 'context')
  const dockerfile = join(folder, 'Dockerfile')
  mkdirSync(context, { recursive: true })
  writeFileSync(dockerfile, dockerfileOf(buildCase))
  const made = buildCase.objects.filter(object => make(object, context))
  if (buildCase.ignore.length > 0) writeFileSync(join(context, '.dockerignore'), `${buildCase.ignore.join('\n')}\n`)
  // Children before their directories: making a child changes the directory's time, and its mode may forbid it.
  for (const { path, kind, mode } of made.toReversed()) {
    const full = join(context, path)
    if (kind !== 'symlink' && kind !== 'hardlink') chmodSync(full, mode)
    lutimesSync(full, contextTime, contextTime)
  }
  lutimesSync(context, contextTime, contextTime)
  return { dockerfile, context }
}

/** False where shrinking took away what this object needs. */
function make({ path, kind, value }: ContextObject, context: string): boolean {
  const full = join(context, path)
  try {
    mkdirSync(dirname(full), { recursive: true })
    if (kind === 'directory') mkdirSync(full)
    else if (kind === 'file') writeFileSync(full, value, { flag: 'wx' })
    else if (kind === 'symlink') symlinkSync(value, full)
    else if (kind === 'hardlink') linkSync(join(context, value), full)
    else if (kind === 'fifo') execFileSync('mkfifo', [full], { stdio: 'ignore' })
    else writeFileSync(full, archive(value), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

const member = (path: string, kind: Member['kind'], rest: Partial<Member> = {}): Member => {
  const base = { path, kind, mode: 0o644, uid: 0, gid: 0, mtime: 1_000_000_000, body: Buffer.alloc(0) }
  return { ...base, ...rest }
}

/** What every generated archive holds: own owners and modes, a root entry that must not matter, links of both kinds. */
function archive(compression: string): Buffer {
  const tar = writeArchive([
    member('', 'directory', { mode: 0o700, uid: 7, gid: 7 }),
    member('etc', 'directory', { mode: 0o750, uid: 3 }),
    member('etc/from-archive', 'file', { mode: 0o4755, uid: 5, gid: 6, body: Buffer.from('unpacked\n') }),
    member('etc/again', 'hardlink', { mode: 0o4755, uid: 5, gid: 6, link: 'etc/from-archive' }),
    member('link', 'symlink', { mode: 0o777, link: '../outside' }),
    member('d', 'directory', { mode: 0o1777 }),
    member('d/e', 'directory', { mode: 0o755 }),
    member('d/e/f', 'file', { body: Buffer.from('deep\n') }),
  ])
  return compression === 'gzip' ? gzipSync(tar) : tar
}
