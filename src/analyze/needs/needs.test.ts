import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseDockerfile } from '#dockerfile'
import { entryOf } from '#layer'
import { type Entry, lookup } from '#tree'
import { copyLines, foldCopyLine } from './copy-lines.ts'
import { findNeeds } from './find-needs.ts'
import { type FileTree, librarySearch, programTree } from './library-search.ts'
import { parseShebang, programClosure } from './program-closure.ts'
import { startedPrograms } from './stage-split.ts'
import type { Study } from '../analyze-image.ts'

/** A directory of this machine as a tree, looked at when asked. */
function directoryTree(root: string): FileTree {
  const known = new Map<string, Entry | undefined>()
  const read = (path: string): Entry | undefined => {
    const at = join(root, path)
    const stats = lstatSync(at, { throwIfNoEntry: false })
    return stats && entryOf(path, at, { stats, options: { overlay: false } })
  }
  return programTree({
    get: path => {
      if (!known.has(path)) known.set(path, read(path))
      return known.get(path)
    },
    list: path => {
      try {
        return readdirSync(join(root, path)).sort()
      } catch {
        return []
      }
    },
  })
}

const host = directoryTree('/')
const loader = '/lib64/ld-linux-x86-64.so.2'
const canList = existsSync(loader) && process.arch === 'x64'

/** What the real loader says; undefined where it refuses. */
function listed(program: string): Map<string, string> | undefined {
  const { status, stdout } = spawnSync(loader, ['--list', program], { env: {}, encoding: 'utf8' })
  if (status !== 0) return undefined
  const lines = [...stdout.matchAll(/^\s+(?:(\S+) => )?(\/\S+) \(0x/gm)]
  return new Map(lines.map(([, name, path = '']) => [name ?? path, path]))
}

/** Two hundred different programs: every n-th, so that they are of many packages. */
function programs(): string[] {
  const all = readdirSync('/usr/bin')
    .map(name => `usr/bin/${name}`)
    .filter(path => {
      const { entry, path: real } = lookup(host, path)
      return real === path && entry?.type === 'file' && host.elf(entry)?.interpreter === loader
    })
  const step = Math.max(1, Math.floor(all.length / 200))
  return all.filter((_, i) => i % step === 0).slice(0, 200)
}

describe('a real loader is asked', () => {
  test.skipIf(!canList)('200 programs of this machine load the same files', () => {
    const chosen = programs()
    const wrong = chosen.flatMap(path => {
      const expected = listed(`/${path}`)
      const closure = programClosure(host, path, [])
      if (!expected || !closure) return [`${path}: ${expected ? 'not read' : 'not listed'}`]
      const real = (each: string): string => realpathSync(each)
      const own = new Set([...closure.libraries.map(each => real(`/${each.path}`)), real(loader)])
      const theirs = new Set([...expected.values()].map(real))
      return [
        ...[...theirs].filter(each => !own.has(each)).map(each => `${path}: lacks ${each}`),
        ...[...own].filter(each => !theirs.has(each)).map(each => `${path}: has ${each} besides`),
        ...closure.missing.map(({ name }) => `${path}: ${name} missing`),
      ]
    })
    console.log(`${chosen.length} programs compared, ${wrong.length} differences`)
    expect(chosen.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })
})

test.each([
  ['#!/bin/sh', { interpreter: 'bin/sh' }],
  ['#! /usr/bin/perl -w', { interpreter: 'usr/bin/perl' }],
  ['#!/usr/bin/env python3', { interpreter: 'usr/bin/env', command: 'python3' }],
  ['#!/usr/bin/env -S A=1 node --x', { interpreter: 'usr/bin/env', command: 'node' }],
  ['no script', undefined],
])('first line %s', (line, expected) => {
  expect(parseShebang(line)).toEqual(expected)
})

test('COPY lines: files of a directory together, what lies in a copied directory not again', () => {
  const need = (path: string) => ({ path, kind: 'library', why: '', bytes: 1 }) as const
  expect(
    copyLines(
      ['lib/x/b.so', 'lib/x/a.so', 'bin/p', 'usr/share/z/', 'usr/share/z/in', 'with space/f'].map(need),
      'build',
    ),
  ).toEqual([
    'COPY --from=build /lib/x/a.so /lib/x/b.so /lib/x/',
    'COPY --from=build /bin/p /bin/',
    'COPY --from=build ["/with space/f","/with space/"]',
    'COPY --from=build /usr/share/z/ /usr/share/z/',
  ])
})

test('a long COPY line is the same instruction over several lines', () => {
  const names = Array.from({ length: 9 }, (_, i) => `/usr/lib/x86_64-linux-gnu/libnumber${i}.so.1`)
  const line = `COPY --from=build ${names.join(' ')} /usr/lib/x86_64-linux-gnu/`
  const folded = foldCopyLine(line)
  expect(folded.split('\n').length).toBeGreaterThan(4)
  for (const each of folded.split('\n')) expect(each.length).toBeLessThanOrEqual(78)
  const [copy] =
    parseDockerfile({ name: 'Dockerfile', text: `FROM scratch\n${folded}\n` }).stages[0]?.instructions ?? []
  if (copy?.kind !== 'copy') throw new Error('it is a COPY')
  expect(copy.sources.map(source => (source.kind === 'path' ? source.path.text : ''))).toEqual(names)
  expect(copy.destination.text).toBe('/usr/lib/x86_64-linux-gnu/')
  expect(foldCopyLine('COPY --from=build /a /b')).toBe('COPY --from=build /a /b')
  const list = `COPY --from=build ["${'/with space/f'.repeat(9)}","/with space/"]`
  expect(foldCopyLine(list)).toBe(list)
})

test.skipIf(!canList)('a dynamic program, its loader, what it opens by name', () => {
  const { needs, libc, broken } = findNeeds(host, ['usr/bin/id'], { image: 'host', env: [] })
  expect(libc).toBe('glibc')
  expect(broken).toEqual([])
  const kinds = new Map(needs.map(({ path, kind }) => [path, kind]))
  expect(kinds.get('usr/bin/id')).toBe('program')
  expect(kinds.get('lib64/ld-linux-x86-64.so.2')).toBe('loader')
  expect(needs.some(({ path, kind }) => kind === 'library' && path.endsWith('/libc.so.6'))).toBe(true)
  expect(kinds.get('etc/passwd')).toBe('run-time')
})

describe('ld.so.conf', () => {
  const program = {
    bits: 64,
    littleEndian: true,
    machine: 62,
    type: 3,
    needed: [],
    rpath: [],
    runpath: [],
    names: () => new Set<string>(),
  } as const

  /** Directories that files of a configuration name, and how often one of them was looked up. */
  function configured(files: Readonly<Record<string, string>>): readonly [string[], number] {
    const root = mkdtempSync(join(tmpdir(), 'slipway-'))
    try {
      mkdirSync(join(root, 'etc/ld.so.conf.d'), { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'etc', name), text)
      const tree = directoryTree(root)
      let lookups = 0
      const counting: FileTree = {
        ...tree,
        get: path => {
          lookups++
          return tree.get(path)
        },
      }
      return [[...librarySearch(counting, program, []).configured], lookups]
    } finally {
      rmSync(root, { recursive: true })
    }
  }

  test('files and wildcards, in order', () => {
    const [found] = configured({
      'ld.so.conf': '/opt/first\ninclude ld.so.conf.d/*.conf\ninclude /etc/ld.so.conf.d/x?z\n# /no\n/opt/last\n',
      'ld.so.conf.d/b.conf': '/opt/b',
      'ld.so.conf.d/a.conf': '/opt/a /opt/a2\n',
      'ld.so.conf.d/a.conf.old': '/opt/old\n',
      'ld.so.conf.d/xyz': '/opt/xyz\n',
      'ld.so.conf.d/xz': '/opt/xz\n',
    })
    expect(found).toEqual(['opt/first', 'opt/a', 'opt/a2', 'opt/b', 'opt/xyz', 'opt/last'])
  })

  test('files that include each other often, and many stars, end', () => {
    const again = 'include ld.so.conf\ninclude ld.so.conf.d/*\ninclude /etc/ld.so.conf.d/a*\n'.repeat(50)
    const stars = `include ld.so.conf.d/${'*a'.repeat(60)}*b\n`
    const name = `ld.so.conf.d/${'a'.repeat(200)}`
    const [found, lookups] = configured({
      'ld.so.conf': `${again}${stars}`,
      [name]: again,
      'ld.so.conf.d/a': `${again}/opt/a\n`,
    })
    expect(found).toEqual(['opt/a'])
    expect(lookups).toBeLessThan(5000)
  })
})

test.skipIf(!existsSync('/usr/bin/env')).each([
  [{ Entrypoint: ['env'], Cmd: ['ls'] }, ['env']],
  [{ Cmd: ['/bin/sh', '-c', 'exec env A=b ls'] }, ['sh', 'env']],
  [{ Cmd: ['env'], Healthcheck: { Test: ['CMD', '/bin/ls', '/'] } }, ['env', 'ls']],
  [{ Cmd: ['env'], Healthcheck: { Test: ['CMD-SHELL', 'ls / || exit 1'] } }, ['env', 'sh', 'ls']],
  [{ Cmd: ['env'], Healthcheck: { Test: ['NONE'] } }, ['env']],
  [{ Healthcheck: { Test: ['CMD', 'ls'] } }, []],
])('%j starts %j', (config, programs) => {
  const study = { image: { config: { config } }, trace: { tree: host } } as unknown as Study
  const names = startedPrograms(study).map(path => path.slice(path.lastIndexOf('/') + 1).replace('dash', 'sh'))
  expect(names).toEqual(programs)
})
