import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readTar } from '#tar'
import { type DebFile, readDebFile } from './deb-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'slipway-deb-'))
afterAll(() => rmSync(directory, { recursive: true }))

function readBytes(bytes: Buffer): Promise<DebFile> {
  const path = join(directory, 'x.deb')
  writeFileSync(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return readDebFile(path, { sha256, size: bytes.length }, 'package x')
}

function ar(members: Readonly<Record<string, Buffer | string>>): Buffer {
  const parts: Buffer[] = [Buffer.from('!<arch>\n')]
  for (const [name, content] of Object.entries(members)) {
    const bytes = Buffer.from(content)
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`
    parts.push(Buffer.from(header), bytes, Buffer.alloc(bytes.length % 2, 10))
  }
  return Buffer.concat(parts)
}

const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0

describe.skipIf(!hasDpkg)('packages of dpkg-deb (skipped without it)', () => {
  test.each(['xz', 'gzip', 'zstd', 'none'])('compressed with %s', async compression => {
    const tree = join(directory, `tree-${compression}`)
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n',
    )
    writeFileSync(join(tree, 'DEBIAN/postinst'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(join(tree, 'file'), 'content')
    const path = join(directory, `${compression}.deb`)
    const words = ['--root-owner-group', `-Z${compression}`, '--build', tree, path]
    expect(spawnSync('dpkg-deb', words).status).toBe(0)
    const deb = await readBytes(readFileSync(path))
    expect([...deb.control.keys()].sort()).toEqual(['control', 'postinst'])
    expect(deb.control.get('postinst')).toEqual({ bytes: Buffer.from('#!/bin/sh\n'), mode: 0o755 })
    const names: string[] = []
    for await (const { header } of readTar(deb.data())) names.push(`${header.path} ${header.uid}`)
    expect(names).toEqual(['. 0', './file 0'])
  })
})

describe('what is not a package', () => {
  test.each<[string, Buffer, RegExp]>([
    ['nothing', Buffer.alloc(0), /it is no ar archive/],
    ['a text', Buffer.from('<html>this is no package</html>'), /it is no ar archive/],
    ['an empty archive', ar({}), /members are missing/],
    ['another order', ar({ 'control.tar': '', 'debian-binary': '2.0\n', 'data.tar': '' }), /members are missing/],
    ['no data', ar({ 'debian-binary': '2.0\n', 'control.tar': '' }), /members are missing/],
    [
      'no control file',
      ar({ 'debian-binary': '2.0\n', 'control.tar': Buffer.alloc(1024), 'data.tar': '' }),
      /no control file/,
    ],
    ['a cut header', ar({ 'debian-binary': '2.0\n' }).subarray(0, 40), /no ar header at byte 8/],
    [
      'a size that is none',
      Buffer.from(ar({ a: '' }).toString('latin1').replace('0         `', '-1        `'), 'latin1'),
      /no ar header/,
    ],
  ])('%s', async (_name, bytes, message) => {
    await expect(readBytes(bytes)).rejects.toThrow(message)
  })

  test('a file with another digest', async () => {
    const path = join(directory, 'y.deb')
    writeFileSync(path, 'content')
    const content = { sha256: '0'.repeat(64), size: 7 }
    await expect(readDebFile(path, content, 'package y')).rejects.toThrow('package y in the package cache is damaged')
  })
})
