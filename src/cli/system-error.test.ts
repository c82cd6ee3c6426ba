import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { userErrorOf } from './system-error.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const systemError = (code: string, path?: string): Error => Object.assign(new Error(code), { code, path })

test('a UserError is itself', () => {
  const error = new UserError('x', { hint: 'y' })
  expect(userErrorOf(error)).toBe(error)
})

test.each(['ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'ENFILE', 'EDQUOT', 'EIO'])(
  '%s is the machine: path and hint',
  code => {
    const error = userErrorOf(systemError(code, '/some/file'))
    expect(error?.message).toMatch(/: \/some\/file$/)
    expect(error?.hint).not.toBe('')
    expect(error?.exitCode).toBe(1)
  },
)

test('also as the cause of another error', () => {
  expect(userErrorOf(new Error('could not pack', { cause: systemError('ENOSPC') }))?.message).toBe(
    'no space left on the disk',
  )
})

test('everything else is our bug', () => {
  expect(userErrorOf(new TypeError('x is not a function'))).toBeUndefined()
  expect(userErrorOf(systemError('EINVAL'))).toBeUndefined()
  expect(userErrorOf(systemError('toString'))).toBeUndefined()
  expect(userErrorOf('text')).toBeUndefined()
})

test('an owner that is not mapped', () => {
  const error = Object.assign(new Error('EINVAL'), { code: 'EINVAL', syscall: 'fchown' })
  expect(userErrorOf(error)?.hint).toMatch(/subordinate ids/)
})

test('a real ENOENT is not taken for something else', () => {
  expect(userErrorOf(thrownBy(() => openSync(join(directory, 'missing'), 'r')))).toBeUndefined()
})

test('a busy database', () => {
  const path = join(directory, 'busy.db')
  using first = new DatabaseSync(path)
  using second = new DatabaseSync(path, { timeout: 1 })
  first.exec('create table t (x); begin immediate')
  const error = thrownBy(() => second.exec('begin immediate'))
  expect(userErrorOf(error)?.message).toBe('another process keeps the store busy')
})

test('a full database', () => {
  using database = new DatabaseSync(':memory:')
  database.exec('create table t (x); pragma max_page_count = 3')
  const error = thrownBy(() => database.exec('insert into t values (zeroblob(1000000))'))
  expect(userErrorOf(error)?.message).toBe('no space left on the disk of the store')
})

test('a file that is not a database', () => {
  const path = join(directory, 'text.db')
  writeFileSync(path, 'this is text, and a lot of it'.repeat(100))
  using database = new DatabaseSync(path)
  expect(userErrorOf(thrownBy(() => database.exec('select * from sqlite_master')))?.message).toMatch(/not a database/)
})
