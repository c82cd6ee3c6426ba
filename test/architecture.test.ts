import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { breaches, importsOf, reserved, roomOf, roomsInTable, rows, type SourceFile } from './architecture/rules.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const sources = filesBelow('src')

describe('the design is kept', () => {
  test('folders, imports, names, sizes', () => {
    expect(breaches(sources)).toEqual([])
  })

  test('docs/architecture.md lists the rooms that exist, in the order of their rows', () => {
    const listed = roomsInTable(readFileSync(join(repository, 'docs/architecture.md'), 'utf8'))
    const existing = new Set(sources.flatMap(({ path }) => roomOf(path) ?? []))
    expect(listed).toEqual(rows.flat().filter(room => existing.has(room)))
  })

  test('every exception still has its file', () => {
    const excused = reserved.flatMap(rule => Object.keys(rule.exceptions ?? {}))
    expect(excused.filter(path => !existsSync(join(repository, path)))).toEqual([])
  })

  test('no folder in the repository has an empty name', () => {
    const files = ['bench', 'docs', 'examples', 'scripts', 'test'].flatMap(folder => filesBelow(folder))
    expect(breaches(files).filter(line => line.includes('says nothing'))).toEqual([])
  })
})

const door = { path: 'src/tree/index.ts', text: '/**\n * tree: entries.\n *\n * In: a.\n * Out: b.\n */\nexport {}\n' }

describe('the checker can fail', () => {
  test.each<[string, Partial<SourceFile>, RegExp]>([
    ['a later row', { text: "import { x } from '#build'" }, /imports #build, which stands in row 7/],
    ['the same row', { text: "import type { x } from '#plan'" }, /imports #plan, which stands in row 4/],
    ['a later row, dynamically', { text: "const x = await import('#cli')" }, /imports #cli/],
    ['a re-export from a later row', { text: "export * from '#store'" }, /imports #store/],
    ['its own door', { text: "import { x } from '#tree'" }, /its own room/],
    ['no room', { text: "import { x } from '#stuff'" }, /no room's door/],
    ['beside the door', { text: "import { x } from '../oci/digest.ts'" }, /leaves the room/],
    ['up to src', { text: "import { x } from '../index.ts'" }, /leaves the room/],
    ['down to test', { text: "import { x } from '../../test/host.ts'" }, /leaves the room/],
    ['no ending', { text: "import { x } from './entry'" }, /no ending/],
    ['koffi', { text: "import koffi from 'koffi'" }, /uses koffi/],
    ['undici', { text: "const { fetch: get } = await import('undici')" }, /uses the network/],
    ['fetch', { text: 'await fetch(url)' }, /global fetch/],
    ['child processes', { text: "import { spawn } from 'node:child_process'" }, /uses child processes/],
    ['SQLite', { text: "import { DatabaseSync } from 'node:sqlite'" }, /uses SQLite/],
    ['the environment', { text: "const home = process.env['HOME']" }, /uses the environment/],
    ['the environment, taken apart', { text: 'const { env } = process' }, /uses the environment/],
    ['arguments', { text: 'process.argv.slice(2)' }, /uses arguments/],
    ['the terminal', { text: "console.log('x')" }, /uses the terminal/],
    ['ending the process', { text: 'process.exit(1)' }, /uses ending/],
    ['a helper', { path: 'src/tree/tree-utils.ts' }, /says nothing/],
    ['a folder of helpers', { path: 'src/tree/helpers/entry.ts' }, /says nothing/],
    ['camel case', { path: 'src/tree/mergeLayers.ts' }, /kebab-case/],
    ['a long file', { text: 'x\n'.repeat(401) }, /401 lines/],
  ])('%s', (_, file, message) => {
    const found = breaches([door, { path: 'src/tree/bad.ts', text: '', ...file }])
    expect(found.join('\n')).toMatch(message)
    expect(found).toHaveLength(1)
  })

  test.each<[string, SourceFile, RegExp]>([
    ['a room without a door', { path: 'src/tree/entry.ts', text: '' }, /no door/],
    ['a room in no row', { path: 'src/extra/index.ts', text: door.text.replace('tree', 'extra') }, /no row/],
    ['a door without a comment', { ...door, text: 'export {}\n' }, /doc comment/],
    ['a door that says too little', { ...door, text: '/**\n * tree: x.\n */\n' }, /1 lines, not 3 to 8/],
    ['a door that names another room', { ...door, text: door.text.replace('tree:', 'plan:') }, /start with "tree: "/],
  ])('%s', (_, file, message) => {
    expect(breaches([file]).join('\n')).toMatch(message)
  })

  test('and is silent where the rules are kept', () => {
    const text = [
      "import { join } from 'node:path'",
      "import { type Digest, parseDigest } from '#oci'",
      "import { entry } from './entry.ts'",
      "// import { spawn } from 'node:child_process'",
      '/* process.env */',
      "import type { Socket } from 'node:net'",
      "const later = import('./algebra/merge.ts')",
    ].join('\n')
    expect(breaches([door, { path: 'src/tree/good-file.ts', text }])).toEqual([])
    const shared = { path: 'src/tree/good-file.test.ts', text: "import { x } from '../../test/host.ts'" }
    expect(breaches([door, shared])).toEqual([])
    expect(importsOf(text)).toEqual(['node:path', '#oci', './entry.ts', 'node:net', './algebra/merge.ts'])
  })
})

/** Files that git knows; without git (or before the first commit of a folder) everything below it. */
function filesBelow(folder: string): SourceFile[] {
  return listed(folder)
    .filter(path => !path.startsWith('test/samples/') && existsSync(join(repository, path)))
    .map(path => ({ path, text: readFileSync(join(repository, path), 'utf8') }))
}

function listed(folder: string): string[] {
  try {
    const args = ['ls-files', '-z', '--cached', folder]
    const list = execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return list.split('\0').filter(Boolean)
  } catch {
    if (!existsSync(join(repository, folder))) return []
    return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(repository.length))
  }
}
