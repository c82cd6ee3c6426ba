import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const words = ['COPY', 'RUN', 'ADD', 'FROM', 'mount', 'network']

test.each([
  ['RUNN', 'RUN'],
  ['CPOY', 'COPY'],
  ['FORM', 'FROM'],
  ['moutn', 'mount'],
  ['netwrok', 'network'],
  ['copy', 'COPY'],
  ['UNR', undefined],
  ['xyz', undefined],
])('1.6 near %s stands %s', (word, expected) => {
  expect(nearest(word, words)).toBe(expected)
})

test('a swap counts less than another word that shares more letters', () => {
  expect(nearest('CPOY', ['CROW', 'COPY'])).toBe('COPY')
})
