import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

test.each([
  ['0', 0],
  ['1ns', 1],
  ['1us', 1e3],
  ['1.5µs', 1500],
  ['2ms', 2e6],
  ['1h2m3s', 3723e9],
  ['.5s', 5e8],
  ['1.s', 1e9],
  ['-1s', -1e9],
  ['+1m', 60e9],
  ['1', undefined],
  ['', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['1 s', undefined],
  ['1d', undefined],
  ['99999999h', undefined],
])('9.6 Go duration %j', (text, nanoseconds) => {
  expect(parseDuration(text)).toBe(nanoseconds)
})

test.each([
  [0, '0s'],
  [1, '1ns'],
  [1100, '1.1µs'],
  [2_200_000, '2.2ms'],
  [3_300_000_000, '3.3s'],
  [245e9, '4m5s'],
  [300e9, '5m0s'],
  [3600e9, '1h0m0s'],
  [18_367_001_000_000, '5h6m7.001s'],
])('10 %d ns as Go prints it', (nanoseconds, text) => {
  expect(formatDuration(nanoseconds)).toBe(text)
})
