import { expect, test } from 'vitest'
import { wantsColor } from './color.ts'

const terminal = { isTTY: true }
const pipe = {}

test.each<[environment: Record<string, string>, onTerminal: boolean, onPipe: boolean]>([
  [{}, true, false],
  [{ NO_COLOR: '1' }, false, false],
  [{ NO_COLOR: '' }, true, false],
  [{ FORCE_COLOR: '1' }, true, true],
  [{ FORCE_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '0' }, false, false],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, true],
  [{ CLICOLOR: '0' }, false, false],
  [{ CLICOLOR: '1' }, true, false],
  [{ CLICOLOR_FORCE: '1' }, true, true],
  [{ CLICOLOR_FORCE: '0' }, true, false],
  [{ TERM: 'dumb' }, false, false],
  [{ TERM: 'xterm', COLORTERM: 'truecolor' }, true, false],
])('%o', (environment, onTerminal, onPipe) => {
  expect(wantsColor(terminal, environment)).toBe(onTerminal)
  expect(wantsColor(pipe, environment)).toBe(onPipe)
})
