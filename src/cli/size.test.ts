import { expect, test } from 'vitest'
import { formatRate, formatSize } from './size.ts'

// As printed by `docker images` and `docker history` (go-units, HumanSizeWithPrecision 3).
test.each([
  [0, '0B'],
  [1, '1B'],
  [999, '999B'],
  [1000, '1kB'],
  [1234, '1.23kB'],
  [12_345, '12.3kB'],
  [123_456, '123kB'],
  [1_000_000, '1MB'],
  [1_050_000, '1.05MB'],
  [124_000_000, '124MB'],
  [2_500_000_000, '2.5GB'],
  [7_000_000_000_000, '7TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text)
})

test('rounding up goes to the next unit', () => {
  expect(formatSize(999_999)).toBe('1MB')
  expect(formatSize(-1500)).toBe('-1.5kB')
})

test('rates', () => {
  expect(formatRate(3_210_000.7)).toBe('3.21MB/s')
})
