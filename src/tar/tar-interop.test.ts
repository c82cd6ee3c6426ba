import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeName, encodeName, readTar, type TarHeader, writeTar } from '#tar'

const hasGnuTar = /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '')
const hasPython = spawnSync('python3', ['-c', 'import tarfile']).status === 0
const work = fs.mkdtempSync(join(tmpdir(), 'slipway-tar-'))
const tree = join(work, 'tree')
const notUtf8 = Buffer.concat([Buffer.from(`${tree}/latin-`), Buffer.from([0xe4, 0xff])])
const deep = `deep/${'long-directory-name-'.repeat(4)}/${'another-one-'.repeat(8)}`

afterAll(() => fs.rmSync(work, { recursive: true, force: true }))

beforeAll(() => {
  fs.mkdirSync(tree)
  fs.writeFileSync(join(tree, 'empty'), '')
  fs.writeFileSync(join(tree, 'one'), 'x'.repeat(512))
  fs.writeFileSync(join(tree, 'more'), 'y'.repeat(100_001), { mode: 0o640 })
  fs.linkSync(join(tree, 'more'), join(tree, 'same'))
  fs.symlinkSync('../somewhere', join(tree, 'link'))
  fs.utimesSync(join(tree, 'one'), 1_234_567_890.5, 1_234_567_890.5)
  fs.chmodSync(join(tree, 'one'), 0o6755)
  execFileSync('mkfifo', [join(tree, 'pipe')])
})

/** Names that the small formats can't hold. */
function addLongNames(): void {
  fs.writeFileSync(join(tree, deep, `${'n'.repeat(180)}`), 'deep')
  fs.symlinkSync(`${'t/'.repeat(150)}x`, join(tree, 'longlink'))
  fs.writeFileSync(join(tree, 'grün 日本'), 'utf8')
  fs.writeFileSync(notUtf8, 'bytes')
}

interface Found {
  readonly header: TarHeader
  readonly content: string
}

async function readAll(archive: Buffer, chunkSize = 10_007): Promise<Map<string, Found>> {
  const found = new Map<string, Found>()
  for await (const member of readTar(chunksOf(archive, chunkSize))) {
    const { header, offset } = member
    const parts: Uint8Array[] = []
    for await (const part of member.content()) parts.push(part)
    const bytes = Buffer.concat(parts)
    expect(bytes.length).toBe(header.size)
    if (offset !== undefined) expect(archive.subarray(offset, offset + header.size).equals(bytes)).toBe(true)
    found.set(header.path, { header, content: bytes.toString('latin1') })
  }
  return found
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

function gnuTar(...args: readonly string[]): Buffer {
  return execFileSync('tar', ['-C', work, '-Pcf', '-', ...args], { maxBuffer: 1 << 28 })
}

/** Every object below `tree`, as the file system says. */
function expected(withNanoseconds: boolean): Map<string, Omit<TarHeader, 'type'> & { readonly type: string }> {
  const found = new Map<string, Omit<TarHeader, 'type'> & { readonly type: string }>()
  const walk = (path: Buffer): void => {
    const stat = fs.lstatSync(path, { bigint: true })
    const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : stat.isFIFO() ? 'fifo' : 'file'
    const name = decodeName(path.subarray(work.length + 1))
    found.set(name, {
      path: name,
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: type === 'file' ? Number(stat.size) : 0,
      mtime: {
        seconds: Number(stat.mtimeNs / 1_000_000_000n),
        nanoseconds: withNanoseconds ? Number(stat.mtimeNs % 1_000_000_000n) : 0,
      },
      ...(type === 'symlink' && { link: decodeName(fs.readlinkSync(path, 'buffer')) }),
    })
    if (type !== 'directory') return
    for (const entry of fs.readdirSync(path, 'buffer')) walk(Buffer.concat([path, Buffer.from('/'), entry]))
  }
  walk(Buffer.from(tree))
  return found
}

function compare(found: ReadonlyMap<string, Found>, withNanoseconds: boolean): void {
  const want = expected(withNanoseconds)
  expect([...found.keys()].sort()).toEqual([...want.keys()].sort())
  for (const [path, value] of want) {
    const { header, content } = found.get(path) as Found
    if (header.type === 'hardlink') {
      const target = want.get(header.link ?? '')
      expect([target?.size, target?.mode]).toEqual([value.size, value.mode])
      continue
    }
    expect(header).toEqual(value)
    if (header.type === 'file') expect(content).toBe(fs.readFileSync(encodeName(join(work, path)), 'latin1'))
  }
}

describe.skipIf(!hasGnuTar)('archives of GNU tar', () => {
  test.each([['v7'], ['oldgnu'], ['ustar'], ['gnu'], ['pax']])('--format=%s', async format => {
    if (format === 'v7') fs.rmSync(join(tree, 'pipe'))
    if (format === 'oldgnu') execFileSync('mkfifo', [join(tree, 'pipe')])
    if (format === 'ustar') fs.mkdirSync(join(tree, deep), { recursive: true })
    if (format === 'gnu') addLongNames()
    const archive = gnuTar(`--format=${format}`, '--sort=name', '--numeric-owner', 'tree')
    compare(await readAll(archive), format === 'pax')
    for (const size of [1, 511, 512, 513, archive.length]) {
      if (size === 1 && archive.length > 300_000) continue
      compare(await readAll(archive, size), format === 'pax')
    }
  })

  test.each([['gnu'], ['pax']])('huge ids, times and devices, --format=%s', async format => {
    const options = ['--owner=:3000000', '--group=:3000000000', '--mtime=@-12345', '--mode=u+s']
    const found = await readAll(gnuTar(`--format=${format}`, ...options, 'tree/one', '/dev/null'))
    expect(found.get('tree/one')?.header).toMatchObject({
      uid: 3_000_000,
      gid: 3_000_000_000,
      mtime: { seconds: -12_345, nanoseconds: 0 },
    })
    expect(found.get('/dev/null')?.header).toMatchObject({ type: 'char', device: { major: 1, minor: 3 } })
  })

  test.each([
    ['gnu', '1.0'],
    ['pax', '0.0'],
    ['pax', '0.1'],
    ['pax', '1.0'],
  ])('sparse files, --format=%s --sparse-version=%s', async (format, version) => {
    const path = join(work, 'holes')
    const file = fs.openSync(path, 'w')
    for (let i = 0; i < 40; i++) fs.writeSync(file, `piece ${i}`, i * 65_536 + 4096 * (i % 3))
    fs.ftruncateSync(file, 3_000_000)
    fs.closeSync(file)
    const archive = gnuTar(`--format=${format}`, '--sparse', `--sparse-version=${version}`, 'holes', 'tree/one')
    expect(archive.length).toBeLessThan(1_000_000)
    for (const size of [512, 700, 65_536]) {
      const found = await readAll(archive, size)
      expect(found.get('holes')?.content === fs.readFileSync(path, 'latin1')).toBe(true)
      expect(found.get('tree/one')?.content.length).toBe(512)
    }
  })

  test('listed-incremental archives: directories without the list of names', async () => {
    const archive = gnuTar('--format=gnu', `--listed-incremental=${join(work, 'snapshot')}`, 'tree')
    const found = await readAll(archive)
    expect(found.get('tree')?.header).toMatchObject({ type: 'directory', size: 0 })
    expect(found.get('tree/one')?.content).toBe('x'.repeat(512))
  })
})

const sample: readonly { readonly header: TarHeader; readonly content?: readonly Uint8Array[] }[] = [
  entry('d', { type: 'directory', mode: 0o1777 }),
  entry(`d/${'long/'.repeat(60)}name`, { mtime: { seconds: -77, nanoseconds: 250_000_000 } }, 'content'),
  entry('grün', { mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 } }, 'x'.repeat(3000)),
  entry(decodeName(Buffer.from([0x62, 0xff, 0xfe])), {}, 'raw'),
  entry(decodeName(Buffer.from(`${'l'.repeat(150)}\xff`, 'latin1')), {}, 'raw and long'),
  entry('s', { type: 'symlink', mode: 0o777, link: `../${'x/'.repeat(100)}ü` }),
  entry('h', { type: 'hardlink', link: 'grün' }),
  entry('p', { type: 'fifo' }),
  entry('big', { uid: 3_000_000, gid: 2_097_152 }, ''),
]

function entry(path: string, change: Partial<TarHeader>, content?: string) {
  const size = content?.length ?? 0
  const base = { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtime: { seconds: 5, nanoseconds: 0 } } as const
  return { header: { ...base, ...change }, ...(content !== undefined && { content: [Buffer.from(content)] }) }
}

async function write(name: string): Promise<string> {
  const path = join(work, name)
  fs.writeFileSync(path, '')
  for await (const chunk of writeTar(sample)) fs.appendFileSync(path, chunk)
  return path
}

describe('our archives', () => {
  test.skipIf(!hasGnuTar || process.getuid?.() !== 0)('GNU tar extracts them (needs root)', async () => {
    const into = join(work, 'extracted')
    fs.mkdirSync(into)
    const archive = await write('ours.tar')
    const result = spawnSync('tar', ['-C', into, '--numeric-owner', '-xpf', archive], { encoding: 'utf8' })
    const harmless = /implausibly old time stamp|unknown extended header keyword 'hdrcharset'|^$/
    const complaints = result.stderr.split('\n').filter(line => !harmless.test(line))
    expect([result.status, complaints]).toEqual([0, []])
    for (const { header, content } of sample) {
      const path = Buffer.concat([Buffer.from(`${into}/`), encodeName(header.path)])
      const stat = fs.lstatSync(path, { bigint: true })
      if (header.type === 'hardlink') {
        expect(stat.ino).toBe(fs.lstatSync(join(into, header.link ?? ''), { bigint: true }).ino)
        continue
      }
      expect(Number(stat.mode & 0o7777n)).toBe(header.mode)
      expect([Number(stat.uid), Number(stat.gid)]).toEqual([header.uid, header.gid])
      expect(stat.mtimeNs).toBe(BigInt(header.mtime.seconds) * 1_000_000_000n + BigInt(header.mtime.nanoseconds))
      if (header.type === 'symlink') expect(fs.readlinkSync(path, 'buffer')).toEqual(encodeName(header.link ?? ''))
      if (header.type === 'file') expect(fs.readFileSync(path)).toEqual(Buffer.concat(content ?? []))
    }
  })

  test.skipIf(!hasPython)("Python's tarfile reads them, and we read its", async () => {
    const archive = await write('python.tar')
    const script = `
import tarfile, json, sys
out = []
with tarfile.open(sys.argv[1], errors="surrogateescape") as t:
    for m in t: out.append([m.name, m.size, m.mode, m.uid, m.gid, m.mtime, m.linkname, t.extractfile(m).read().decode() if m.isreg() else None])
with tarfile.open(sys.argv[1]) as t:
    for name, fmt in (("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        with tarfile.open(sys.argv[2] + name, "w", format=fmt) as o:
            for m in t.getmembers():
                m.pax_headers = {}
                o.addfile(m, t.extractfile(m) if m.isreg() else None)
print(json.dumps(out))
`
    const out = join(work, 'by-python-')
    const listed = JSON.parse(execFileSync('python3', ['-c', script, archive, out], { encoding: 'utf8' })) as unknown[]
    const wanted = sample.map(({ header, content }) => {
      const { path, size, mode, uid, gid, mtime, link = '', type } = header
      const time = mtime.seconds + mtime.nanoseconds / 1e9
      return [path, size, mode, uid, gid, time, link, type === 'file' ? String(content?.[0] ?? '') : null]
    })
    expect(listed).toEqual(wanted)
    for (const name of ['gnu', 'pax']) {
      const found = await readAll(fs.readFileSync(`${out}${name}`))
      for (const { header, content } of sample) {
        const { mtime, ...rest } = header
        expect(found.get(header.path)?.header).toMatchObject(rest)
        expect(found.get(header.path)?.content).toBe(Buffer.concat(content ?? []).toString('latin1'))
        if (name === 'pax') expect(found.get(header.path)?.header.mtime.seconds).toBe(mtime.seconds)
      }
    }
  })

  test.skipIf(!hasGnuTar || !hasPython)('extended attributes both ways', async () => {
    const path = join(work, 'attributed')
    fs.writeFileSync(path, 'x')
    const set = spawnSync('python3', ['-c', `import os; os.setxattr("${path}", "user.bin", bytes([0, 10, 61, 255]))`])
    if (set.status !== 0) return expect(set.stderr.toString()).toMatch(/not supported/)
    const value = Buffer.from([0, 10, 61, 255])
    const found = await readAll(gnuTar('--format=pax', '--xattrs', '--xattrs-include=*', 'attributed'))
    expect(found.get('attributed')?.header.xattrs).toEqual(new Map([['user.bin', value]]))

    const ours = join(work, 'ours-with-attributes.tar')
    fs.writeFileSync(ours, '')
    const header = { ...entry('back', {}, '').header, xattrs: new Map([['user.bin', value]]) }
    for await (const chunk of writeTar([{ header }])) fs.appendFileSync(ours, chunk)
    execFileSync('tar', ['-C', work, '--xattrs', '--xattrs-include=*', '-xf', ours])
    const read = execFileSync('python3', ['-c', `import os; print(os.getxattr("${work}/back", "user.bin").hex())`])
    expect(read.toString().trim()).toBe(value.toString('hex'))
  })
})
