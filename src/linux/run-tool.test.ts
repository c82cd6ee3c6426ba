import { expect, test } from 'vitest'
import { runTool } from './run-tool.ts'

const run = (script: string, options: { signal?: AbortSignal; limit?: number; env?: Record<string, string> } = {}) =>
  runTool('/bin/sh', {
    args: ['-c', script],
    env: {},
    directory: '/',
    signal: new AbortController().signal,
    ...options,
  })

test('status, output and complaint are told apart', async () => {
  expect(await run('echo out; echo err >&2; exit 3')).toEqual({ status: 3, stdout: 'out\n', stderr: 'err' })
})

test('a signal is a status too', async () => {
  expect((await run('kill -TERM $$')).status).toBe('SIGTERM')
})

test('nothing of our environment is inherited, and what is given arrives', async () => {
  const { stdout } = await run('/usr/bin/env', { env: { ONLY: 'this' } })
  expect(stdout.split('\n').filter(line => /^(HOME|USER|NODE_|VITEST|ONLY)/.test(line))).toEqual(['ONLY=this'])
})

test('there is no terminal to ask at', async () => {
  expect((await run('exec 2>/dev/null; : < /dev/tty && echo asks; read x && echo reads; exit 0')).stdout).toBe('')
})

test('an abort ends the program and what it started', async () => {
  const stop = new AbortController()
  const started = Date.now()
  setTimeout(() => stop.abort(new Error('stopped')), 100)
  await expect(run('sleep 30 & sleep 30', { signal: stop.signal })).rejects.toThrow('stopped')
  expect(Date.now() - started).toBeLessThan(10_000)
})

test('endless output is ended', async () => {
  await expect(run('while :; do echo 0123456789; done', { limit: 1000 })).rejects.toThrow('more than 1000 bytes')
})

test('a program that is not there is an error', async () => {
  await expect(
    runTool('/nowhere/at/all', { args: [], env: {}, directory: '/', signal: new AbortController().signal }),
  ).rejects.toThrow('ENOENT')
})
