import { expect, test } from 'vitest'
import { fitEnd, textWidth } from './text-width.ts'

test.each([
  ['/usr/lib/x.so', 13, '/usr/lib/x.so'],
  ['/usr/lib/x.so', 8, '…ib/x.so'],
  ['/usr/lib/x.so', 1, '…'],
  ['/usr/lib/x.so', 0, ''],
  // Wide characters take two columns, and half of one does not fit.
  ['/漢字/x', 6, '…字/x'],
  ['/漢字/x', 4, '…/x'],
])('the end of %j in %i columns', (text, columns, expected) => {
  expect(fitEnd(text, columns)).toBe(expected)
  expect(textWidth(fitEnd(text, columns))).toBeLessThanOrEqual(columns)
})
