import { expect, test } from 'vitest'
import type { ProgressEvent } from '#diagnostics'
import { openPlain } from './plain.ts'

const log = (id: number, time: number, text: string): ProgressEvent => ({
  kind: 'log',
  id,
  stream: 'stdout',
  data: Buffer.from(text),
  time,
})

function textOf(events: readonly ProgressEvent[], color = false): string {
  const plain = openPlain({ color })
  return events.map(plain).join('')
}

test('steps, their output and their end', () => {
  const events: ProgressEvent[] = [
    { kind: 'begin', id: 70, text: 'RUN make', stage: 'builder', position: { index: 2, count: 4 }, time: 1000 },
    log(70, 1123, 'compiling\nlink'),
    { kind: 'begin', id: 71, text: 'WORKDIR /srv', position: { index: 1, count: 1 }, time: 1200 },
    { kind: 'done', id: 71, cached: true, time: 1200 },
    log(70, 1500, 'ing\n\x1b[31mred\x1b[0m'),
    { kind: 'done', id: 70, cached: false, time: 2234 },
  ]
  expect(textOf(events)).toBe(
    [
      '#1 [builder 2/4] RUN make',
      '#1 0.123 compiling',
      '#2 [1/1] WORKDIR /srv',
      '#2 CACHED',
      '#1 0.500 linking',
      '#1 1.234 red',
      '#1 DONE 1.2s',
      '',
    ].join('\n'),
  )
})

test('a failure says why, on one line', () => {
  const events: ProgressEvent[] = [
    { kind: 'begin', id: 1, text: 'RUN false', time: 0 },
    { kind: 'failed', id: 1, message: 'exit code 1\n\x1b[2Jevil', time: 100 },
  ]
  expect(textOf(events)).toBe('#1 RUN false\n#1 ERROR exit code 1 evil\n')
})

test('what was stopped by another failure or a signal is not an error', () => {
  const end = (message: string): string =>
    textOf([
      { kind: 'begin', id: 1, text: 'RUN a', time: 0 },
      { kind: 'failed', id: 1, message, time: 100 },
    ])
  expect(end(abortMessage())).toBe('#1 RUN a\n#1 CANCELED\n')
  expect(end('canceled')).toBe('#1 RUN a\n#1 CANCELED\n')
  expect(end('stopped by SIGTERM')).toBe('#1 RUN a\n#1 CANCELED\n')
})

/** What Node says of an abort without a reason. */
function abortMessage(): string {
  const controller = new AbortController()
  controller.abort()
  return (controller.signal.reason as Error).message
}

test('transfers are told every five seconds and at the end', () => {
  const transfer = (time: number, done: number): ProgressEvent => ({
    kind: 'transfer',
    id: 1,
    label: 'libc6',
    done,
    total: 10_000_000,
    time,
  })
  const events: ProgressEvent[] = [
    { kind: 'begin', id: 1, text: 'downloading 1 package', time: 0 },
    transfer(1000, 1_000_000),
    transfer(5000, 5_000_000),
    transfer(6000, 6_000_000),
    transfer(10_000, 10_000_000),
    { kind: 'done', id: 1, cached: false, time: 10_000 },
  ]
  expect(textOf(events)).toBe(
    ['#1 downloading 1 package', '#1 5MB / 10MB 1MB/s', '#1 10MB 1MB/s', '#1 DONE 10.0s', ''].join('\n'),
  )
})

test('warnings stand between the steps', () => {
  const text = textOf([
    { kind: 'warning', warning: { code: 'Casing', message: 'mixed case', hint: 'choose one' }, time: 0 },
  ])
  expect(text).toBe('warning: mixed case (Casing)\n  hint: choose one\n')
})

test('events of an activity that never began or already ended are dropped', () => {
  expect(textOf([log(5, 0, 'ghost\n'), { kind: 'done', id: 5, cached: false, time: 1 }])).toBe('')
})

test('colours only where asked for', () => {
  const begin: ProgressEvent = { kind: 'begin', id: 1, text: 'RUN x', time: 0 }
  expect(textOf([begin], true)).toContain('\x1b[')
  expect(textOf([begin], false)).not.toContain('\x1b')
})
