import { expect, test } from 'vitest'
import { parseSsh } from './ssh.ts'

test.each([
  ['default', { id: 'default', paths: [] }],
  ['work=/run/agent', { id: 'work', paths: ['/run/agent'] }],
  ['work=a,b=c', { id: 'work', paths: ['a', 'b=c'] }],
])('%s', (text, expected) => {
  expect(parseSsh(text)).toEqual(expected)
})

test.each([
  ['', /no id/],
  ['=key', /no id/],
  ['a=', /empty path/],
  ['a=b,', /empty path/],
  ['a=b,raw=true', /raw=true is not supported/],
])('%j is refused', (text, message) => {
  expect(() => parseSsh(text)).toThrow(message)
})
