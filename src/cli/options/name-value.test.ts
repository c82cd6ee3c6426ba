import { expect, test } from 'vitest'
import { parseBuildContext, parseLabel, parseNameValue } from './name-value.ts'
import { parseVolume } from './volume.ts'

const environment = { HOME: '/root', EMPTY: '' }

test.each<[string, readonly [string, string] | undefined]>([
  ['A=1', ['A', '1']],
  ['A=', ['A', '']],
  ['A=b=c', ['A', 'b=c']],
  ['HOME', ['HOME', '/root']],
  ['EMPTY', ['EMPTY', '']],
  ['UNSET', undefined],
  ['HOME=', ['HOME', '']],
])('%s', (text, expected) => {
  expect(parseNameValue(text, '--build-arg', environment)).toEqual(expected)
})

test('a name is needed', () => {
  expect(() => parseNameValue('=1', '--build-arg', environment)).toThrow(/no name/)
  expect(() => parseLabel('')).toThrow(/no name/)
})

test('labels and contexts', () => {
  expect(parseLabel('a.b=c')).toEqual(['a.b', 'c'])
  expect(parseLabel('a.b')).toEqual(['a.b', ''])
  expect(parseBuildContext('docs=../docs')).toEqual(['docs', '../docs'])
  expect(() => parseBuildContext('docs')).toThrow(/no path/)
})

test('volumes', () => {
  expect(parseVolume('/a:/b', '/here')).toEqual({ source: '/a', target: '/b', readonly: false })
  expect(parseVolume('./a:/b:ro', '/here')).toEqual({ source: '/here/a', target: '/b', readonly: true })
  for (const text of ['/a', ':/b', '/a:', '/a:b', '/a:/b:rx', '/a:/b:ro:z', 'named:/b']) {
    expect(() => parseVolume(text, '/here'), text).toThrow(/^-v /)
  }
})
