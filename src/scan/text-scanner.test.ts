import { expect, test } from 'vitest'
import { textScanner } from './text-scanner.ts'

const token = `gh${'p_'}${'aB3dE5gH7jK9mN1pQ2rS'}${'4tU6vW8xY0zA2cD4'}`
const setting = `password = "${'k8'}Wq3zRt7Lm"\n`

/** Found in a file that comes in chunks of so many bytes: offset and line. */
function found(file: Buffer, chunk: number): readonly (readonly [number, number])[] {
  const scanner = textScanner({ path: 'srv/settings.conf', size: file.length })
  for (let at = 0; at < file.length; at += chunk) scanner.push(file.subarray(at, at + chunk))
  return scanner.finish().map(({ start, line }) => [start, line])
}

test('what stands across pieces is found once, with its line, whatever the chunks', () => {
  const lines = Buffer.alloc(4 << 20, `${'x'.repeat(99)}\n`)
  const text = Buffer.concat([lines.subarray(0, -1007), Buffer.from(`\nkey ${token}\n`), lines, Buffer.from(setting)])
  const at = text.indexOf(token)
  const line = text.subarray(0, at).toString().split('\n').length
  const last = text.toString().trimEnd().split('\n').length
  for (const chunk of [text.length, 65_536, 1_000_003])
    expect(found(text, chunk)).toEqual([
      [at, line],
      [text.length - setting.length + 12, last],
    ])
})

test('columns count from the start of the line, wherever pieces begin', () => {
  const scanner = textScanner({ path: 'srv/page.conf' })
  const text = Buffer.from(`a\n${'- '.repeat(3 << 20)}${token} ${'- '.repeat(1 << 20)}\n  ${token}\n`)
  for (let at = 0; at < text.length; at += 65_536) scanner.push(text.subarray(at, at + 65_536))
  expect(scanner.finish().map(({ line, column }) => [line, column])).toEqual([
    [2, 1 + (6 << 20)],
    [3, 3],
  ])
})

test('a program stays one where a piece of it begins with text', () => {
  const program = Buffer.concat([Buffer.alloc(4096), Buffer.alloc(5 << 20, `${setting}${'y'.repeat(80)}\n`)])
  expect(found(program, 65_536)).toEqual([])
  expect(found(program, program.length)).toEqual([])
})
