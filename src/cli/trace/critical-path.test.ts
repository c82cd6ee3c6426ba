import { describe, expect, test } from 'vitest'
import { criticalPath } from './critical-path.ts'
import type { TraceSpan } from './open-trace.ts'

function step(group: string, name: string, [begin, end]: readonly [number, number], activity: number): TraceSpan {
  return { kind: 'activity', group, name, begin, end, activity }
}

function wait(group: string, waitsFor: string, [begin, end]: readonly [number, number], activity: number): TraceSpan {
  return { kind: 'part', group, name: `waiting for ${waitsFor}`, waitsFor, begin, end, activity }
}

describe('the critical path', () => {
  test.each<[string, readonly TraceSpan[], readonly string[]]>([
    ['nothing', [], []],
    ['one stage: all of it', [step('', 'a', [0, 10], 1), step('', 'b', [10, 30], 2)], ['a 10', 'b 20']],
    [
      'of two stages the slower one, and what the waiting step did after it',
      [
        step('quick', 'a', [0, 10], 1),
        step('slow', 'b', [0, 50], 2),
        step('last', 'c', [0, 60], 3),
        wait('last', 'slow', [0, 50], 3),
      ],
      ['b 50', 'c 10'],
    ],
    [
      'a stage that was there before it was wanted costs nothing',
      [
        step('quick', 'a', [0, 10], 1),
        step('last', 'b', [0, 40], 2),
        step('last', 'c', [40, 60], 3),
        wait('last', 'quick', [40, 40], 3),
      ],
      ['a 10', 'c 20'],
    ],
    [
      'what belongs to no stage follows what ended before it',
      [step('one', 'a', [0, 10], 1), step('build', 'exporting', [12, 20], 2)],
      ['a 10', 'exporting 8'],
    ],
  ])('%s', (_, spans, expected) => {
    expect(criticalPath(spans).map(({ name, duration }) => `${name} ${duration}`)).toEqual(expected)
  })
})
