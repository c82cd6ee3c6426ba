import { expect, test } from 'vitest'
import type { ProgressEvent } from '#diagnostics'
import { textWidth } from '../text-width.ts'
import { type LiveView, openLiveView } from './live-view.ts'

const wide = { columns: 61, rows: 24 }

function viewOf(events: readonly ProgressEvent[]): LiveView {
  const view = openLiveView({ color: false })
  for (const event of events) view.take(event)
  return view
}

const begin = (id: number, text: string, time = 0): ProgressEvent => ({ kind: 'begin', id, text, time })
const log = (id: number, text: string): ProgressEvent => ({
  kind: 'log',
  id,
  stream: 'stdout',
  data: Buffer.from(text),
  time: 1,
})
const transfer = (id: number, label: string, done: number, total: number | undefined, time: number): ProgressEvent => ({
  kind: 'transfer',
  id,
  label,
  done,
  ...(total !== undefined && { total }),
  time,
})

test('a running step with its last four lines', () => {
  const view = viewOf([
    { kind: 'begin', id: 1, text: 'RUN make', stage: 'builder', position: { index: 2, count: 4 }, time: 0 },
    log(1, '1\n2\n3\n4\n5\n10%\r20%'),
  ])
  expect(view.area(wide, 2500)).toEqual([
    '[+] 2.5s  1 running',
    ' => [builder 2/4] RUN make                              2.5s',
    '    | 3',
    '    | 4',
    '    | 5',
    '    | 20%',
  ])
  expect(view.finished(wide)).toEqual([])
})

test('finished steps fold to one line each, in the order of their end, and are told once', () => {
  const view = viewOf([
    begin(1, 'RUN a'),
    begin(2, 'RUN b'),
    begin(3, 'RUN c'),
    log(1, 'noise\n'),
    { kind: 'done', id: 2, cached: true, time: 10 },
    { kind: 'failed', id: 3, message: 'no', time: 70_000 },
    { kind: 'done', id: 1, cached: false, time: 71_000 },
  ])
  expect(view.finished(wide)).toEqual([
    ' => CACHED RUN b                                        0.0s',
    ' => ERROR RUN c                                        1m10s',
    ' => RUN a                                              1m11s',
  ])
  expect(view.finished(wide)).toEqual([])
  expect(view.area(wide, 72_000)).toEqual([])
})

test('what runs at the end was cancelled', () => {
  const view = viewOf([begin(1, 'RUN a'), { kind: 'done', id: 1, cached: false, time: 500 }, begin(2, 'RUN b', 500)])
  view.end(1500)
  expect(view.finished(wide)).toEqual([
    ' => RUN a                                               0.5s',
    ' => CANCELED RUN b                                      1.0s',
    '[+] 1.5s  1 done',
  ])
})

test('nothing happened: nothing is shown', () => {
  const view = viewOf([])
  view.end(5)
  expect(view.finished(wide)).toEqual([])
})

test('bytes with rate and total; several transfers one by one', () => {
  const view = viewOf([
    begin(1, 'downloading 2 packages'),
    transfer(1, 'gcc', 0, 40_000_000, 0),
    transfer(1, 'libc6', 0, 10_000_000, 0),
    transfer(1, 'gcc', 10_000_000, 40_000_000, 1000),
    transfer(1, 'libc6', 10_000_000, 10_000_000, 1000),
  ])
  expect(view.area({ columns: 81, rows: 24 }, 1000)).toEqual([
    '[+] 1.0s  1 running',
    `${' => downloading 2 packages'.padEnd(55)}20MB / 50MB  20MB/s  1.0s`,
    '    | gcc  10MB / 40MB',
  ])
})

test('without a known total the sum has none', () => {
  const view = viewOf([begin(1, 'loading'), transfer(1, 'stdin', 5_000_000, undefined, 1000)])
  expect(view.area(wide, 1000)[1]).toMatch(/^ => loading +5MB {2}5MB\/s {2}1\.0s$/)
})

test('a hostile title stays one safe line', () => {
  const view = viewOf([begin(1, 'RUN \x1b[2J\x1b]0;x\x07echo\n\x9b31mevil \u202egnp.exe')])
  expect(view.area(wide, 0)[1]).toMatch(/^ => RUN echo evil gnp\.exe +0\.0s$/)
})

const many = [
  ...Array.from({ length: 12 }, (_, i) => begin(i, `RUN 日本語のとても長い説明 ${i} ${'word '.repeat(30)}`)),
  ...Array.from({ length: 12 }, (_, i) => log(i, 'log 日本語\n'.repeat(9))),
]

test.each([
  [40, 24],
  [80, 10],
  [20, 5],
  [10, 3],
  [2, 2],
  [1, 1],
])('a window of %i columns and %i rows is never exceeded', (columns, rows) => {
  const view = viewOf(many)
  const area = view.area({ columns, rows }, 1234)
  expect(area.length).toBeLessThanOrEqual(Math.max(0, rows - 1))
  for (const line of area) expect(textWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1))
  view.end(2000)
  for (const line of view.finished({ columns, rows }).slice(0, -1)) {
    expect(textWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1))
  }
})

test('every running step gets its line before any gets a second detail; the rest is counted', () => {
  const view = viewOf([begin(1, 'RUN a'), log(1, '1\n2\n3\n4\n'), begin(2, 'RUN b'), log(2, '5\n6\n7\n8\n')])
  expect(view.area({ columns: 30, rows: 7 }, 0)).toEqual([
    '[+] 0.0s  2 running',
    ' => RUN a                0.0s',
    '    | 3',
    '    | 4',
    ' => RUN b                0.0s',
    '    | 8',
  ])
  const crowded = viewOf(many).area({ columns: 30, rows: 6 }, 0)
  expect(crowded).toHaveLength(5)
  expect(crowded.at(-1)).toBe('    ... and 9 more')
})

test('--explain: why a step missed stands above it; a hit says nothing more', () => {
  const reasons = [
    { input: 'file', name: 'a', text: 'file a: content changed' },
    { input: 'argument', name: 'B', text: 'argument B: "1" → "\x1b[31m2"' },
  ] as const
  const view = viewOf([
    begin(1, 'COPY a /'),
    { kind: 'cache', id: 1, hit: false, reasons, time: 1 },
    begin(2, 'COPY b /'),
    { kind: 'cache', id: 2, hit: true, reasons: [], time: 1 },
  ])
  expect(view.finished(wide)).toEqual([
    ' => COPY a /',
    '    cache miss:',
    '      file a: content changed',
    '      argument B: "1" → "2"',
  ])
})
