import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openScreen, openTty } from './tty.ts'

/** A control sequence, a run of text, or one other character. */
const token = new RegExp(`${'\x1b'}\\[[?\\d]*[A-Za-z]|\\P{Cc}+|[^]`, 'gu')

/** As much of a terminal as the screen uses; anything else it is sent is an error. */
function terminal(columns = 40, rows = 10) {
  let lines: string[] = ['']
  let row = 0
  let column = 0
  let cursor = true
  const put = (text: string): void => {
    lines[row] =
      (lines[row] ?? '').slice(0, column).padEnd(column) + text + (lines[row] ?? '').slice(column + text.length)
    column += text.length
    if (column > columns) throw new Error('wrapped')
  }
  const up = (count: number): void => {
    if (count > row) throw new Error('above the top')
    row -= count
  }
  const write = (text: string): void => {
    for (const [part] of text.matchAll(token)) {
      if (part === '\n') {
        row++
        column = 0
        lines[row] ??= ''
      } else if (part === '\r') column = 0
      else if (part === '\x1b[?25l') cursor = false
      else if (part === '\x1b[?25h') cursor = true
      else if (part === '\x1b[K') lines[row] = (lines[row] ?? '').slice(0, column)
      else if (part === '\x1b[2K') lines[row] = ''
      else if (/^.\[\d+A$/s.test(part)) up(Number(part.slice(2, -1)))
      else if (part.startsWith('\x1b[?2026')) continue
      else if (part.startsWith('\x1b')) throw new Error(`unexpected ${JSON.stringify(part)}`)
      else put(part)
    }
  }
  return {
    columns,
    rows,
    write,
    shown: () => {
      const all = [...lines]
      while (all.at(-1) === '') all.pop()
      return all
    },
    position: () => [row, column],
    cursor: () => cursor,
  }
}

const lines = (prefix: string, most: number) =>
  fc.array(
    fc.nat(35).map(length => prefix + 'x'.repeat(length)),
    { maxLength: most },
  )

test('the screen always shows what stays, then the newest area', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(lines('f', 3), lines('a', 8)), { maxLength: 8 }), draws => {
      const stream = terminal()
      const screen = openScreen(stream)
      const stays: string[] = []
      for (const [finished, area] of draws) {
        screen.draw(finished, area)
        stays.push(...finished)
        expect(stream.shown()).toEqual([...stays, ...area])
        expect(stream.position()).toEqual([stays.length + area.length, 0])
      }
    }),
  )
})

test('the cursor is hidden while something is drawn, and comes back', () => {
  const stream = terminal()
  const screen = openScreen(stream)
  screen.draw([], ['running'])
  expect(stream.cursor()).toBe(false)
  screen.release()
  expect(stream.cursor()).toBe(true)
})

test('what was drawn is not sent again', () => {
  let writes = 0
  const screen = openScreen({ columns: 40, rows: 10, write: () => writes++ })
  screen.draw([], ['same'])
  screen.draw([], ['same'])
  expect(writes).toBe(1)
})

test('a window that became narrower has wrapped the lines: all their rows are taken back', () => {
  const written: string[] = []
  const stream = { columns: 40, rows: 20, write: (text: string) => written.push(text) }
  const screen = openScreen(stream)
  screen.draw([], ['x'.repeat(39), 'y'])
  stream.columns = 20
  screen.draw([], ['z'])
  expect(written.at(-1)?.split('\x1b[1A\x1b[2K')).toHaveLength(4)
})

test('closing shows the end and gives the terminal back; no listener and no timer stay', () => {
  const before = process.listenerCount('exit')
  const stream = terminal()
  const tty = openTty(stream, { color: false }, () => 1000)
  tty.take({ kind: 'begin', id: 1, text: 'RUN a', time: 0 })
  tty.take({ kind: 'done', id: 1, cached: false, time: 700 })
  tty.close()
  tty.close()
  expect(stream.shown()).toEqual([' => RUN a                          0.7s', '[+] 1.0s  1 done'])
  expect(stream.cursor()).toBe(true)
  expect(process.listenerCount('exit')).toBe(before)
})
