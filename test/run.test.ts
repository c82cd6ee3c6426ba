import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { importTestBase, leftovers, slipway, slipwayOk, startSlipway } from './slipway.ts'
import { testBaseName } from './oracle/test-base.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-run-'))
let runs = false

beforeAll(async () => {
  runs = canSandbox && (await importTestBase(root)).runs
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('-v shows a file, also below the root and read-only', async context => {
  context.skip(!runs, 'needs root and a static busybox')
  const file = join(root, 'greeting')
  writeFileSync(file, 'hello\n')
  const options = ['-v', `${file}:/g:ro`, '-v', `${file}:/deep/er/g`]
  const { stdout } = await slipwayOk(['run', ...options, testBaseName, 'sh', '-c', 'cat /g /deep/er/g; echo >/g'], {
    root,
  }).catch((error: Error) => ({ stdout: error.message }))
  expect(stdout).toContain('Read-only file system')
  const read = await slipwayOk(['run', ...options, testBaseName, 'cat', '/g', '/deep/er/g'], { root })
  expect(read.stdout).toBe('hello\nhello\n')
})

test('-v of what does not exist is an error before anything runs', async context => {
  context.skip(!runs, 'needs root and a static busybox')
  const { code, stderr } = await slipway(['run', '-v', `${root}/missing:/x`, testBaseName, 'true'], { root })
  expect(code).toBe(1)
  expect(stderr).toMatch(/error: there is nothing at ".*\/missing" to show as \/x\n/)
})

test('SIGTERM ends a service in order, with nothing left of it', async context => {
  context.skip(!runs, 'needs root and a static busybox')
  const service = 'trap "echo ended in order; exit 0" TERM; echo up; while :; do sleep 0.1; done'
  const { child, ended } = startSlipway(['run', testBaseName, 'sh', '-c', service], { root })
  await new Promise<void>(resolve => child.stdout?.on('data', (data: Buffer) => data.includes('up') && resolve()))
  child.kill('SIGTERM')
  expect((await ended).stdout).toBe('up\nended in order\n')
  expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
})

test('STOPSIGNAL is what a service gets, and it has time to finish', async context => {
  context.skip(!runs, 'needs root and a static busybox')
  const service = 'trap "sleep 2; echo finished; exit 0" USR1; echo up; while :; do sleep 0.1; done'
  const lines = [`FROM ${testBaseName}`, 'STOPSIGNAL SIGUSR1', `CMD ${service}`]
  await slipwayOk(['build', '-t', 'service', '-'], { root, input: `${lines.join('\n')}\n` })
  const { child, ended } = startSlipway(['run', 'service'], { root })
  await new Promise<void>(resolve => child.stdout?.on('data', (data: Buffer) => data.includes('up') && resolve()))
  child.kill('SIGTERM')
  expect((await ended).stdout).toBe('up\nfinished\n')
})

test('users of a container see what is mounted, whatever our own umask', async context => {
  context.skip(!runs, 'needs root and a static busybox')
  const prefix = ['sh', '-c', 'umask 077; exec "$@"', 'sh']
  const command = 'cat /etc/hosts >/dev/null && ls -d /dev/shm /deep/er/g && stat -c %a /dev /etc/hosts /deep /deep/er'
  const options = ['--user', '1000:1000', '-v', `${root}:/deep/er/g`]
  const { stdout } = await slipwayOk(['run', ...options, testBaseName, 'sh', '-c', command], { root, prefix })
  expect(stdout).toBe('/deep/er/g\n/dev/shm\n755\n644\n755\n755\n')
})
