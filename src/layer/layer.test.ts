import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLayerIndexer, decodeEntries, encodeEntries, packLayer, scanDirectory, writeDirectory } from '#layer'
import { getXattrs, makeNode, setXattr } from '#linux'
import type { Entry, LayerTree } from '#tree'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-layer-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))
const isRoot = process.getuid?.() === 0

const pack = async (entries: LayerTree): Promise<{ tar: Buffer; entries: LayerTree }> => {
  const chunks: Buffer[] = []
  const packed = await packLayer(entries, async bytes => void chunks.push(Buffer.from(bytes)))
  const tar = Buffer.concat(chunks)
  const path = join(root, 'layer.tar')
  writeFileSync(path, tar)
  return { tar, entries: decodeEntries(Buffer.concat(encodeEntries(entries, packed.offsets)), { tar: path }) }
}
const index = (tar: Buffer, whiteouts = true): LayerTree => {
  const indexer = createLayerIndexer({ name: 'test', whiteouts })
  for (let i = 0; i < tar.length; i += 777) indexer.push(tar.subarray(i, i + 777))
  return indexer.finish(join(root, 'layer.tar'))
}
/** What an archive can tell: not where contents are, and of a hard link not the size of its file. */
const plain = (entries: LayerTree): object[] =>
  entries.map(entry => ({ ...entry, source: undefined, size: entry.type === 'hardlink' ? 0 : entry.size }))

function sample(): string {
  const directory = join(root, 'in')
  mkdirSync(join(directory, 'd/empty'), { recursive: true })
  writeFileSync(join(directory, 'd/f'), 'content')
  writeFileSync(join(directory, 'big'), Buffer.alloc(3_000_001, 'x'))
  linkSync(join(directory, 'd/f'), join(directory, 'a-link'))
  symlinkSync('../big', join(directory, 'd/s'))
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x66, 0xff, 0x66])]), 'odd name')
  chmodSync(join(directory, 'd/f'), 0o4755)
  utimesSync(join(directory, 'd/f'), 1000, 2000)
  return directory
}

describe('large files', () => {
  test('their digests and their places in the archive are right whichever thread hashed them', async () => {
    const directory = join(root, 'large')
    mkdirSync(directory)
    const sizes = { a: 40 << 20, b: 70_000, c: (30 << 20) + 1, d: (1 << 20) + 513, e: 3 }
    for (const [i, [name, size]] of Object.entries(sizes).entries())
      writeFileSync(join(directory, name), Buffer.alloc(size, `${name}${i}`))
    const entries = scanDirectory(directory, { overlay: false })
    const file = openSync(join(root, 'layer.tar'), 'w')
    const { offsets } = await packLayer(entries, async bytes => void writeSync(file, bytes))
    closeSync(file)
    const tar = readFileSync(join(root, 'layer.tar'))
    for (const [i, { path, size, source }] of entries.entries()) {
      const content = readFileSync(join(directory, path))
      expect(source?.learnt).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`)
      expect(tar.subarray(offsets[i], (offsets[i] ?? 0) + size).equals(content)).toBe(true)
    }
    expect(execFileSync('tar', ['-tf', join(root, 'layer.tar')]).toString()).toBe('a\nb\nc\nd\ne\n')
  })

  test('an abort ends the packing in the middle of a file', async () => {
    writeFileSync(join(root, 'file'), Buffer.alloc(70 << 20))
    const stop = new AbortController()
    let count = 0
    const sink = async (): Promise<void> => {
      if (++count === 3) stop.abort(new RangeError('enough'))
    }
    const packing = packLayer(scanDirectory(root, { overlay: false }), sink, { signal: stop.signal })
    await expect(packing).rejects.toThrow(new RangeError('enough'))
    expect(count).toBeLessThan(6)
  })
})

describe('directory → tar → directory', () => {
  test('nothing gets lost', async () => {
    const scanned = scanDirectory(sample(), { overlay: false, xattrs: getXattrs })
    const { tar, entries } = await pack(scanned)
    expect(plain(index(tar))).toEqual(plain(entries))
    const out = join(root, 'out')
    mkdirSync(out)
    await writeDirectory(entries, out, {
      whiteouts: { kind: 'skip' },
      owners: isRoot,
      calls: { setXattr, makeNode },
    })
    const again = scanDirectory(out, { overlay: false, xattrs: getXattrs })
    expect(plain(again)).toEqual(plain(scanned))
    expect(lstatSync(join(out, 'a-link')).ino).toBe(lstatSync(join(out, 'd/f')).ino)
    expect(readFileSync(join(out, 'big')).equals(readFileSync(join(root, 'in/big')))).toBe(true)
  })

  test('GNU tar reads what is packed', async () => {
    const { tar } = await pack(scanDirectory(sample(), { overlay: false }))
    const names = execFileSync('tar', ['-tf', '-', '--quoting-style=escape'], { input: tar })
      .toString()
      .trim()
      .split('\n')
    expect(names).toEqual(['a-link', 'big', 'd/', 'd/empty/', 'd/s', 'f\\377f', 'd/f'])
  })

  test('the same entries give the same bytes', async () => {
    const entries = scanDirectory(sample(), { overlay: false })
    expect((await pack(entries)).tar.equals((await pack(entries)).tar)).toBe(true)
  })
})

const entry = (path: string, type: Entry['type'] = 'file', more: Partial<Entry> = {}): Entry => ({
  path,
  type,
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  ...more,
})

describe('whiteouts', () => {
  test.skipIf(!isRoot)('overlay marks become .wh. members and back', async () => {
    const directory = join(root, 'upper')
    mkdirSync(join(directory, 'd'), { recursive: true })
    writeFileSync(join(directory, 'd/new'), '')
    setXattr(join(directory, 'd'), 'trusted.overlay.opaque', Buffer.from('y'))
    makeNode(join(directory, 'gone'), { type: 'char', mode: 0, major: 0, minor: 0 })
    const scanned = scanDirectory(directory, { overlay: true, xattrs: getXattrs })
    expect(scanned.map(({ path, type, xattrs }) => [path, type, xattrs?.size ?? 0])).toEqual([
      ['d', 'directory', 0],
      ['d', 'opaque', 0],
      ['d/new', 'file', 0],
      ['gone', 'whiteout', 0],
    ])
    const { tar } = await pack(scanned)
    const names = execFileSync('tar', ['-tf', '-'], { input: tar }).toString().trim().split('\n')
    expect(names).toEqual(['d/', 'd/.wh..wh..opq', 'd/new', '.wh.gone'])
    const out = join(root, 'out')
    mkdirSync(out)
    await writeDirectory(index(tar), out, {
      whiteouts: { kind: 'overlay', opaqueAttribute: 'trusted.overlay.opaque' },
      owners: true,
      calls: { setXattr, makeNode },
    })
    // The time of a whiteout's device says nothing, and nobody sets it.
    const timed = (entries: LayerTree): LayerTree =>
      entries.map(entry => (entry.type === 'whiteout' ? { ...entry, mtime: { seconds: 0, nanoseconds: 0 } } : entry))
    const again = scanDirectory(out, { overlay: true, xattrs: getXattrs })
    expect(plain(timed(again))).toEqual(plain(timed(scanned)))
  })

  test('names that would hide the directory itself are dropped', async () => {
    const { tar } = await pack(['.wh.', '.wh..', '.wh...', '.wh..wh.plnk'].map(name => entry(`d/${name}`)))
    expect(index(tar)).toEqual([])
    expect(index(tar, false)).toHaveLength(4)
  })
})

describe('hostile layers', () => {
  const write = (entries: LayerTree): Promise<void> => {
    const out = join(root, 'out')
    mkdirSync(out)
    return writeDirectory(entries, out, { whiteouts: { kind: 'skip' }, owners: false, calls: { setXattr, makeNode } })
  }
  test('a symlink is never a directory to write through', async () => {
    mkdirSync(join(root, 'outside'))
    await expect(write([entry('l', 'symlink', { link: join(root, 'outside') }), entry('l/f')])).rejects.toThrow(
      /"l" is a directory but stands for something else/,
    )
    expect(() => lstatSync(join(root, 'outside/f'))).toThrow(/ENOENT/)
  })
  test('a hard link leads nowhere else', async () => {
    await expect(
      write([entry('l', 'symlink', { link: '/etc' }), entry('h', 'hardlink', { link: 'l/passwd' })]),
    ).rejects.toThrow(/hard link/)
  })
  test('names are cleaned when an archive is read', async () => {
    const { tar } = await pack([entry('../../etc/x'), entry('/abs'), entry('a/./b/../c')])
    expect(index(tar).map(each => each.path)).toEqual(['etc/x', 'abs', 'a/c'])
  })
  test('a file that became shorter is an error, not wrong bytes', async () => {
    writeFileSync(join(root, 'short'), 'ab')
    await expect(
      pack([entry('short', 'file', { size: 3, source: { kind: 'file', path: join(root, 'short') } })]),
    ).rejects.toThrow(/became shorter/)
  })
})
