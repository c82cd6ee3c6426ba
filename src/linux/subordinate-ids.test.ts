import { expect, test } from 'vitest'
import { idMapArguments, parseSubordinateIds } from './subordinate-ids.ts'

test('ranges by name and by number; nonsense does not count', () => {
  const text = '# comment\nann:100000:65536\nbob:5:5\n1000:300000:10\nann:x:5\nann:7\nann:0:5\n\n'
  expect(parseSubordinateIds(text, { name: 'ann', uid: 1000 })).toEqual([
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
  ])
})

test('ids inside follow without gaps', () => {
  const ranges = [
    { start: 100000, count: 10 },
    { start: 500, count: 3 },
  ]
  expect(idMapArguments(1000, ranges).join(' ')).toBe('0 1000 1 1 100000 10 11 500 3')
})
