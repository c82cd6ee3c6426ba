import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { type TarHeader, type TarInput, writeTar } from '#tar'
import { applyDirectoryAttributes } from './lay-out-root.ts'
import { createPathFilter } from './path-filter.ts'
import { openRootDirectory } from './root-directory.ts'
import { type UnpackedPackage, type Unpacking, unpackPackage } from './unpack-package.ts'

let base = ''
let unpacking: Unpacking
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'slipway-unpack-'))
  mkdirSync(join(base, 'root'))
  unpacking = {
    root: openRootDirectory(join(base, 'root')),
    owners: new Map(),
    directories: new Map(),
    filter: createPathFilter([]),
  }
})
afterEach(() => rmSync(base, { recursive: true }))

/** `path`, `path/`, `path -> target`, `path => hard link`, each with an optional `@mode`; content is the package's name. */
function member(text: string, content: string): TarInput {
  const [, path = '', kind, target, mode] = /^(\S+?)(?: (->|=>) (\S+))?(?: @(\d+))?$/.exec(text) ?? []
  const type = kind === '->' ? 'symlink' : kind === '=>' ? 'hardlink' : path.endsWith('/') ? 'directory' : 'file'
  const header: TarHeader = {
    path: path.replace(/\/$/, ''),
    type,
    mode: mode ? Number.parseInt(mode, 8) : type === 'directory' ? 0o755 : 0o644,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    size: type === 'file' ? content.length : 0,
    mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    ...(target !== undefined && { link: target }),
  }
  return { header, ...(type === 'file' && { content: [Buffer.from(content)] }) }
}

const packages = new Map<string, number>()

async function unpack(
  name: string,
  members: readonly string[],
  replaces: readonly string[] = [],
): Promise<UnpackedPackage> {
  if (!packages.has(name)) packages.set(name, packages.size)
  const unpacked: UnpackedPackage = {
    name,
    rank: packages.get(name) ?? 0,
    replaces: other => replaces.includes(other.name),
    hashed: 'all',
    paths: new Set(),
    md5: new Map(),
  }
  const data = writeTar(members.map(text => member(text, name)))
  await unpackPackage(data, unpacked, unpacking)
  return unpacked
}

const at = (path: string): string => join(base, 'root', path)
const text = (path: string): string => readFileSync(at(path), 'utf8')

describe('unpackPackage', () => {
  test('files, directories, links with their attributes', async () => {
    const { paths, md5 } = await unpack('a', ['./', './d/ @750', './d/f @4755', './d/l -> f', './d/h => ./d/f'])
    applyDirectoryAttributes(unpacking.root, unpacking.directories)
    expect([...paths]).toEqual(['/.', '/d', '/d/f', '/d/l', '/d/h'])
    expect(lstatSync(at('d')).mode & 0o7777).toBe(0o750)
    const file = lstatSync(at('d/f'))
    expect([file.mode & 0o7777, file.mtimeMs, file.nlink]).toEqual([0o4755, 1e12, 2])
    expect(readlinkSync(at('d/l'))).toBe('f')
    expect(lstatSync(at('d/l')).mtimeMs).toBe(1e12)
    expect(md5.get('/d/f')).toBe('0cc175b9c0f1b6a831c399e269772661')
  })

  test('missing parents are made', async () => {
    await unpack('a', ['./x/y/z'])
    expect(text('x/y/z')).toBe('a')
  })

  test('through the links of a merged /usr', async () => {
    mkdirSync(at('usr/bin'), { recursive: true })
    symlinkSync('usr/bin', at('bin'))
    await unpack('a', ['./bin/', './bin/sh', './usr/bin/x'])
    expect(readdirSync(at('usr/bin')).sort()).toEqual(['sh', 'x'])
    expect(lstatSync(at('bin')).isSymbolicLink()).toBe(true)
  })

  test('a directory stays where another package has a link, and the other way round', async () => {
    await unpack('a', ['./d/', './d/f', './e/', './l -> e'])
    await unpack('b', ['./d -> e', './l/', './l/g'])
    expect(lstatSync(at('d')).isDirectory()).toBe(true)
    expect(lstatSync(at('l')).isSymbolicLink()).toBe(true)
    expect(text('e/g')).toBe('b')
  })

  test.each([[['a', 'b']], [['b', 'a']]])('a package that replaces another wins in either order: %s', async order => {
    const results = new Map<string, UnpackedPackage>()
    for (const name of order) results.set(name, await unpack(name, ['./f', `./own-${name}`], name === 'b' ? ['a'] : []))
    expect(text('f')).toBe('b')
    expect([...(results.get('a')?.paths ?? [])]).toEqual(['/own-a'])
    expect(results.get('a')?.md5.has('/f')).toBe(false)
    expect(results.get('b')?.paths.has('/f')).toBe(true)
  })

  test('a file of two packages is an error that names both', async () => {
    await unpack('a', ['./f'])
    await expect(unpack('b', ['./f'])).rejects.toThrow('/f is in the package b and in the package a')
  })

  test('a file where another package has a directory is an error', async () => {
    await unpack('a', ['./d/', './f'])
    await expect(unpack('b', ['./d'])).rejects.toThrow('/d as a file where another has a directory')
    await expect(unpack('c', ['./f/'])).rejects.toThrow('/f as a directory where another has a file')
  })

  test('the first of the packages decides what a directory looks like', async () => {
    packages.set('first', -1)
    await unpack('late', ['./d/ @700'])
    await unpack('first', ['./d/ @711'])
    applyDirectoryAttributes(unpacking.root, unpacking.directories)
    expect(lstatSync(at('d')).mode & 0o777).toBe(0o711)
  })

  test.each<[string, string[]]>([
    ['a member that climbs', ['./../evil']],
    ['a member that climbs further down', ['./a/../../evil']],
    ['a hard link that climbs', ['./h => ../secret']],
  ])('%s is refused', async (_name, members) => {
    await expect(unpack('a', members)).rejects.toThrow(UserError)
    expect(readdirSync(base)).toEqual(['root'])
  })

  test.each<[string, string]>([
    ['an absolute link', '/outside'],
    ['a relative link', '../../outside'],
  ])('%s leads nowhere but into the root', async (_name, target) => {
    mkdirSync(join(base, 'outside'))
    await unpack('a', [`./l -> ${target}`, './l/evil'])
    expect(readdirSync(join(base, 'outside'))).toEqual([])
    expect(text('outside/evil')).toBe('a')
  })

  test('links in a circle are an error', async () => {
    await expect(unpack('a', ['./l -> m', './m -> l', './l/f'])).rejects.toThrow('lead in a circle')
  })

  test('a hard link does not reach a file outside through a link', async () => {
    mkdirSync(join(base, 'outside'))
    await expect(unpack('a', ['./l -> ../outside', './h => ./l/missing'])).rejects.toThrow(/ENOENT/)
    expect(readdirSync(join(base, 'outside'))).toEqual([])
  })
})
