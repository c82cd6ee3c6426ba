import { expect, test } from 'vitest'
import { parseSecret, type SecretOption } from './secret.ts'

test.each<[text: string, secret: SecretOption]>([
  ['id=a,src=f', { id: 'a', from: 'file', path: 'f' }],
  ['id=a,source=f', { id: 'a', from: 'file', path: 'f' }],
  ['type=file,id=a,src=f', { id: 'a', from: 'file', path: 'f' }],
  ['id=a,env=B', { id: 'a', from: 'environment', variable: 'B' }],
  ['type=env,id=a,src=B', { id: 'a', from: 'environment', variable: 'B' }],
  ['id=a', { id: 'a', from: 'either' }],
  ['id=a,"src=f,g"', { id: 'a', from: 'file', path: 'f,g' }],
])('%s', (text, secret) => {
  expect(parseSecret(text)).toEqual(secret)
})

test.each([
  ['src=f', /no id/],
  ['id=,src=f', /no id/],
  ['a', /not understood/],
  ['id=a,scr=f', /not understood/],
  ['id=a,type=x', /unknown type "x"/],
])('%s is wrong usage', (text, message) => {
  expect(() => parseSecret(text)).toThrow(message)
})
