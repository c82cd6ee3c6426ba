import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openLogLines } from './log-lines.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** The lines of a log that comes as one piece. */
function linesOf(text: string): string[] {
  const log = openLogLines()
  return [...log.write(bytes(text)), ...log.end()]
}

test.each<[name: string, log: string, lines: string[]]>([
  ['plain lines', 'one\ntwo\n', ['one', 'two']],
  ['a last line without an end', 'one\ntwo', ['one', 'two']],
  ['an empty line stays', 'one\n\ntwo\n', ['one', '', 'two']],
  ['CR LF', 'one\r\ntwo\r\n', ['one', 'two']],
  ['a progress bar is its last state', '10%\r50%\r100%\ndone\n', ['100%', 'done']],
  ['a bar that returns after each state', '10%\r50%\r100%\r\n', ['100%']],
  ['a bar by cursor column', '10%\x1b[1G50%\x1b[G90%\n', ['90%']],
  ['a bar that erases its line', '10%\x1b[2K50%\n', ['50%']],
  ['colours go', '\x1b[1;31mred\x1b[0m \x1b[38:5:12mblue\x1b[m\n', ['red blue']],
  ['clearing the screen does nothing', 'a\x1b[2J\x1b[Hb\n', ['ab']],
  ['a window title goes', '\x1b]0;owned\x07text\n', ['text']],
  ['a hyperlink goes, its text stays', '\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\\n', ['link']],
  ['a device control string goes', '\x1bPq#0;2\x1b\\text\n', ['text']],
  ['a character set switch goes', '\x1b(0text\x1b(B\n', ['text']],
  ['C1 controls as single characters', 'a\u009b31mb\u009d0;title\u009cc\n', ['abc']],
  ['an open string ends with the line', '\x1b]0;never closed\ntext\n', ['', 'text']],
  ['backspace takes a character back', 'abc\b\bX\n', ['aX']],
  ['backspace takes a whole character back', 'a\u{1f600}\bX\n', ['aX']],
  ['tabs go to the next stop', 'a\tb\n', ['a       b']],
  ['bells and zeros go', 'a\x07b\x00c\n', ['abc']],
  ['marks that turn the direction go', 'a\u202eb\u2066c\n', ['abc']],
])('%s', (_name, log, lines) => {
  expect(linesOf(log)).toEqual(lines)
})

test('bytes that are no UTF-8 become replacement characters', () => {
  const log = openLogLines()
  expect(log.write(Uint8Array.of(0x61, 0xff, 0x62, 0x0a))).toEqual(['a\u{fffd}b'])
})

test('a progress bar shows as pending line, a prompt too', () => {
  const log = openLogLines()
  expect(log.write(bytes('10%\r20%'))).toEqual([])
  expect(log.pending()).toBe('20%')
  log.write(bytes('\r'))
  expect(log.pending()).toBe('20%')
})

test('a hostile line without an end is given out in pieces', () => {
  const log = openLogLines()
  let longest = 0
  let total = 0
  for (let i = 0; i < 100; i++) {
    for (const line of log.write(bytes('x'.repeat(10_000)))) {
      longest = Math.max(longest, line.length)
      total += line.length
    }
  }
  expect(longest).toBeLessThanOrEqual(32_768)
  expect(total + log.pending().length).toBe(1_000_000)
})

test('an escape string that never ends does not swallow the log for ever', () => {
  expect(linesOf(`\x1b]0;${'x'.repeat(20_000)}end\n`).join('')).toContain('end')
})

const nasty = fc.string({
  unit: fc.constantFrom(
    'a',
    'é',
    '日',
    '\u{1f600}',
    '\n',
    '\r',
    '\b',
    '\t',
    '\x1b',
    '[',
    ']',
    '2',
    'K',
    'G',
    '\\',
    '\x07',
    '\u009b',
    '\u202e',
    'P',
    '(',
  ),
  maxLength: 60,
})

test('how the bytes are cut into chunks does not matter', () => {
  fc.assert(
    fc.property(nasty, fc.array(fc.nat(200), { maxLength: 6 }), (text, cuts) => {
      const whole = bytes(text)
      const log = openLogLines()
      const lines: string[] = []
      const places = [0, ...cuts.map(cut => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length]
      for (let i = 1; i < places.length; i++) lines.push(...log.write(whole.subarray(places[i - 1], places[i])))
      expect([...lines, ...log.end()]).toEqual(linesOf(text))
    }),
  )
})

test('nothing that steers a terminal comes through', () => {
  fc.assert(
    fc.property(nasty, text => {
      for (const line of linesOf(text)) expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e]/u)
    }),
  )
})
