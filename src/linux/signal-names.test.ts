import { expect, test } from 'vitest'
import { parseSignal } from './signal-names.ts'

test.each([
  ['SIGINT', 'SIGINT'],
  ['quit', 'SIGQUIT'],
  ['SigUsr1', 'SIGUSR1'],
  ['15', 'SIGTERM'],
  ['', undefined],
  ['SIGNONE', undefined],
  ['99', undefined],
  ['toString', undefined],
])('%j', (text, name) => {
  expect(parseSignal(text)).toBe(name)
})
