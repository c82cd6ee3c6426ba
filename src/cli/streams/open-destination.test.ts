import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import { openDestination, writeStream } from './open-destination.ts'
import { writeFileWhole } from './write-file-whole.ts'

let directory = ''
let context: CliContext
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-'))
  context = { directory, stdout: { isTTY: true } } as CliContext
})
afterEach(() => rmSync(directory, { recursive: true }))

const bytes = Buffer.from('content')

test('a file is there only when it is finished', async () => {
  {
    await using destination = await openDestination('out', context)
    await destination.write(bytes)
    expect(readdirSync(directory)).not.toContain('out')
    await destination.finish()
  }
  expect(readdirSync(directory)).toEqual(['out'])
  expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('content')
})

test('not finished: what was there before stays, and nothing else', async () => {
  writeFileSync(join(directory, 'out'), 'before')
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield bytes
    throw new Error('half way')
  }
  const work = async (): Promise<void> => {
    await using destination = await openDestination('out', context)
    await writeStream(failing(), destination, new AbortController().signal)
    await destination.finish()
  }
  await expect(work()).rejects.toThrow('half way')
  expect(readdirSync(directory)).toEqual(['out'])
  expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('before')
})

test('a link keeps being one', async () => {
  writeFileSync(join(directory, 'real'), 'before')
  symlinkSync('real', join(directory, 'link'))
  await writeFileWhole('link', 'after', context)
  expect(lstatSync(join(directory, 'link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(directory, 'real'), 'utf8')).toBe('after')
})

test('a device is written in its place', async () => {
  await writeFileWhole('/dev/null', 'gone', context)
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
})

test('what cannot be written is said', async () => {
  mkdirSync(join(directory, 'dir'))
  for (const [path, message] of [
    ['dir', /is a directory/],
    ['no/such/file', /no such directory/],
    ['-', /go to the terminal/],
  ] as const) {
    const error: unknown = await openDestination(path, context).catch((thrown: unknown) => thrown)
    expect(error, path).toBeInstanceOf(UserError)
    expect((error as UserError).message).toMatch(message)
  }
})
