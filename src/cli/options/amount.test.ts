import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './amount.ts'

test.each([
  ['0', 0],
  ['512', 512],
  ['10GB', 10_000_000_000],
  ['1.5g', 1_500_000_000],
  ['512mb', 512_000_000],
  ['2 kB', 2000],
  ['1KiB', 1024],
  ['2GiB', 2_147_483_648],
])('size %s', (text, bytes) => {
  expect(parseSize(text, '--x')).toBe(bytes)
})

test.each([
  ['24h', 86_400_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['1.5s', 1500],
  ['10ms', 10],
])('duration %s', (text, milliseconds) => {
  expect(parseDuration(text, '--x')).toBe(milliseconds)
})

test('anything else is wrong usage', () => {
  for (const text of ['', 'GB', '-1', '1PB', '1 2', 'iB', '5iB', '1e3']) {
    expect(() => parseSize(text, '--keep-storage'), text).toThrow(/invalid size .* for --keep-storage/)
  }
  for (const text of ['', '24', 'h', '1h x', '-1h', '1w']) {
    expect(() => parseDuration(text, '--until'), text).toThrow(/invalid duration/)
  }
})
