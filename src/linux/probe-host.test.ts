import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findHostTools, findProgram } from './host-tools.ts'
import { probeHost } from './probe-host.ts'

let base = ''
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'probe-test-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

test.skipIf(process.getuid?.() !== 0)('as root everything is tried, and nothing stays (needs root)', async () => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  const { isolation, checks } = await probeHost({ path: process.env['PATH'], directory: base })
  expect(isolation).toBe('root')
  expect(checks.filter(check => check.state === 'missing')).toEqual([])
  expect(checks.find(check => check.id === 'sandbox')?.detail).toBe('tried, works')
  expect(checks.every(check => check.state === 'ok' || check.hint !== undefined)).toBe(true)
  expect(readdirSync(base)).toEqual([])
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts)
})

describe('programs', () => {
  test('only absolute directories of PATH count, and only executable files', () => {
    mkdirSync(join(base, 'bin/directory'), { recursive: true })
    symlinkSync('/bin/sh', join(base, 'bin/shell'))
    expect(findProgram('shell', `:.:relative:${base}/bin`)).toBe(join(base, 'bin/shell'))
    expect(findProgram('directory', join(base, 'bin'))).toBeUndefined()
    expect(findProgram('passwd', '/etc')).toBeUndefined()
  })

  test('the system directories are searched without PATH', () => {
    expect(findHostTools(undefined).mount).toMatch(/^\/.*\/mount$/)
  })
})
