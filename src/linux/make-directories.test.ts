import { lstatSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectories } from './make-directories.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-directories-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

test('makes what is missing, with the mode, and leaves what is there', () => {
  const before = lstatSync(root).mode
  makeDirectories(join(root, 'a/b/c'), 0o700)
  makeDirectories(join(root, 'a/b/c'), 0o755)
  expect(['', 'a', 'a/b', 'a/b/c'].map(path => statSync(join(root, path)).mode & 0o777)).toEqual([
    before & 0o777,
    0o700,
    0o700,
    0o700,
  ])
  symlinkSync('a', join(root, 'link'))
  makeDirectories(join(root, 'link/d'))
  expect(statSync(join(root, 'a/d')).isDirectory()).toBe(true)
})

test.each([
  ['/proc/none/below', 'ENOENT'],
  ['file', 'EEXIST'],
  ['file/below', 'ENOTDIR'],
  ['nowhere', 'EEXIST'],
  ['nowhere/below', 'EEXIST'],
  ['x'.repeat(300), 'ENAMETOOLONG'],
])('says what stands against it: %s', (path, code) => {
  writeFileSync(join(root, 'file'), '')
  symlinkSync('/none/none', join(root, 'nowhere'))
  expect(() => makeDirectories(path.startsWith('/') ? path : join(root, path))).toThrow(
    expect.objectContaining({ name: 'UserError', cause: expect.objectContaining({ code }) as unknown }) as Error,
  )
})
