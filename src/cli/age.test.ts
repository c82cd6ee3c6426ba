import { expect, test } from 'vitest'
import { formatAge, formatElapsed } from './age.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

// The steps of go-units' HumanDuration, which docker prints.
test.each([
  [0, 'Less than a second ago'],
  [second, '1 second ago'],
  [59 * second, '59 seconds ago'],
  [minute, 'About a minute ago'],
  [119 * second, 'About a minute ago'],
  [3 * minute, '3 minutes ago'],
  [59 * minute, '59 minutes ago'],
  [hour, 'About an hour ago'],
  [2 * hour, '2 hours ago'],
  [47 * hour, '47 hours ago'],
  [2 * day, '2 days ago'],
  [13 * day, '13 days ago'],
  [14 * day, '2 weeks ago'],
  [59 * day, '8 weeks ago'],
  [60 * day, '2 months ago'],
  [729 * day, '24 months ago'],
  [730 * day, '2 years ago'],
])('%i milliseconds: %s', (age, text) => {
  expect(formatAge(10_000_000_000_000 - age, 10_000_000_000_000)).toBe(text)
})

test('no date, and a clock that runs behind', () => {
  expect(formatAge(undefined, 0)).toBe('N/A')
  expect(formatAge(5000, 0)).toBe('Less than a second ago')
})

test.each([
  [0, '0.0s'],
  [1234, '1.2s'],
  [59_949, '59.9s'],
  [59_951, '1m00s'],
  [125_000, '2m05s'],
  [3_720_000, '1h02m'],
])('a step of %i milliseconds took %s', (time, text) => {
  expect(formatElapsed(time)).toBe(text)
})
