import { expect, test } from 'vitest'
import { type ProgressEvent, UserError } from '#diagnostics'
import { jsonError, openJson } from './json.ts'

function eventsOf(events: readonly ProgressEvent[]): unknown[] {
  const json = openJson()
  const text = events.map(json).join('')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as unknown)
}

const source = { name: 'Dockerfile', text: 'FROM a\nRUN x\n' }

test('events come as they are, one a line', () => {
  const begin: ProgressEvent = {
    kind: 'begin',
    id: 1,
    text: 'RUN "x"\n2',
    stage: 's',
    position: { index: 1, count: 2 },
    time: 5,
  }
  const done: ProgressEvent = { kind: 'done', id: 1, cached: false, time: 9 }
  expect(eventsOf([begin, done])).toEqual([begin, done])
})

test('a character that comes in two pieces is not split', () => {
  const euro = Buffer.from('€')
  const log = (data: Uint8Array): ProgressEvent => ({ kind: 'log', id: 1, stream: 'stdout', data, time: 1 })
  expect(
    eventsOf([log(euro.subarray(0, 1)), log(Buffer.concat([euro.subarray(1), Buffer.from('\x1b[31m!')]))]),
  ).toEqual([{ kind: 'log', id: 1, stream: 'stdout', data: '€\x1b[31m!', time: 1 }])
})

test('half a character at the end is told before the end', () => {
  const events = eventsOf([
    { kind: 'log', id: 1, stream: 'stderr', data: Uint8Array.of(0xe2, 0x82), time: 1 },
    { kind: 'failed', id: 1, message: 'no', time: 2 },
  ])
  expect(events).toEqual([
    { kind: 'log', id: 1, stream: 'stderr', data: '\u{fffd}', time: 2 },
    { kind: 'failed', id: 1, message: 'no', time: 2 },
  ])
})

test('warnings and errors say file, line and column', () => {
  const at = { source, span: { start: 7, end: 10 } }
  const place = { file: 'Dockerfile', line: 2, column: 1 }
  expect(eventsOf([{ kind: 'warning', warning: { code: 'C', message: 'm', at }, time: 1 }])).toEqual([
    { kind: 'warning', code: 'C', message: 'm', at: place, time: 1 },
  ])
  expect(JSON.parse(jsonError(new UserError('bad', { hint: 'mend it', at, details: ['tail'] }), 3))).toEqual({
    kind: 'error',
    message: 'bad',
    hint: 'mend it',
    details: ['tail'],
    at: place,
    exitCode: 1,
    time: 3,
  })
})

test('--explain: the reasons of a miss, as they are', () => {
  const reasons = [{ input: 'file', name: 'a', text: 'file a: content changed' }] as const
  const event = { kind: 'cache', id: 1, hit: false, reasons, time: 1 } as const
  expect(eventsOf([event])).toEqual([event])
})
