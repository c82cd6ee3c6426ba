import { expect, test } from 'vitest'
import { createLaunchFilter } from './launch-filter.ts'

const cases: [string, string[], string, string | undefined][] = [
  [
    'a message of the launcher',
    ['slip', 'way-launch: failed to', ' execute x: No such file\n'],
    '',
    'failed to execute x: No such file',
  ],
  ['of another tool', ['slipway-launch-as: setresuid failed\n'], '', 'setresuid failed'],
  ['output of the command', ['hello', ' slipway-launch: x'], 'hello slipway-launch: x', undefined],
  ['a beginning that is nearly the same', ['slipway', '-l', 'unch'], 'slipway-lunch', undefined],
  ['the end in the middle of the name', ['slipway-la'], 'slipway-la', undefined],
  ['nothing', [], '', undefined],
]
test.each(cases)('%s', (_, chunks, passed, message) => {
  let out = ''
  const filter = createLaunchFilter('slipway-launch', chunk => (out += Buffer.from(chunk).toString()))
  for (const chunk of chunks) filter.push(Buffer.from(chunk))
  expect(filter.end()).toBe(message)
  expect(out).toBe(passed)
})

test('output is passed on as soon as it is clear whose it is', () => {
  const out: string[] = []
  const filter = createLaunchFilter('slipway-launch', chunk => out.push(Buffer.from(chunk).toString()))
  filter.push(Buffer.from('s'))
  expect(out).toEqual([])
  filter.push(Buffer.from('o'))
  expect(out).toEqual(['so'])
})
