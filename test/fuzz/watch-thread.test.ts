import { expect, test } from 'vitest'
import { watchThread } from './watch-thread.ts'

/** That `npm run fuzz` can fail: each kind of trouble is noticed, with the input that made it. */
test.each([
  ['nothing', { kind: 'done' }],
  ['hang', { kind: 'hang', input: 'the bad one' }],
  ['heap', { kind: 'memory', input: 'the bad one' }],
  ['buffers', { kind: 'memory', input: 'the bad one' }],
  ['throw', { kind: 'failed', message: 'broken', input: 'the bad one' }],
])('a thread with %s is noticed', async (data, expected) => {
  const resident = process.memoryUsage.rss() + 300 * 2 ** 20
  const limits = { hang: data === 'hang' ? 500 : 60_000, heap: 40, resident }
  expect(await watchThread(new URL('bad-thread.ts', import.meta.url), { data, ...limits })).toEqual(expected)
})
