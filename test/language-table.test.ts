import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { listSamples } from './oracle/sample.ts'

/** docs/language.md says what of the language is done; this holds it to the tests that it names. */

const folder = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(folder, 'docs/language.md'), 'utf8')
const samples = new Map(listSamples().map(sample => [sample.name, sample.settings.rules]))

interface Row {
  readonly number: string
  readonly state: string
  readonly proofs: string
}

function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^\| (\d+(?:\.\d+)?) \| [^|]+ \| ([^|]+) \| ([^|]*) \|$/gm)].map(match => ({
    number: match[1] ?? '',
    state: match[2] ?? '',
    proofs: (match[3] ?? '').trim(),
  }))
}

const [table = '', better = ''] = page.split('## Where Slipway is better')
const rows = rowsOf(table)
const points = rowsOf(better)

/** How many checkboxes the sections of the specification have. */
const sections = [7, 7, 7, 7, 11, 12, 15, 11, 12, 5, 10, 23, 9, 4, 7, 9]

/** A title that is composed is named by its beginning as it stands in the source. */
function proofsOf(row: Row): { readonly kind: 'test' | 'sample'; readonly file: string; readonly title: string }[] {
  return row.proofs
    .split('<br>')
    .filter(text => text !== '')
    .map(text => {
      const [, file = '', title = ''] = /^`([^`]+)`: “(.+)”$/.exec(text.trim()) ?? []
      const [, sample = ''] = /^sample `([^`]+)`$/.exec(text.trim()) ?? []
      if (file === '' && sample === '') throw new Error(`${row.number}: ${text} is neither a test nor a sample`)
      return sample === '' ? { kind: 'test', file, title } : { kind: 'sample', file: '', title: sample }
    })
}

function hasTest(file: string, title: string): boolean {
  if (!existsSync(join(folder, file))) return false
  const text = readFileSync(join(folder, file), 'utf8').replaceAll("\\'", "'")
  return ["'", '"', '`'].some(quote => text.includes(`${quote}${title}`))
}

function namesRule(title: string, number: string): boolean {
  return new RegExp(`(^|[^\\d.])${number.replace('.', '\\.')}($|[^\\d.]|\\.(\\D|$))`).test(title)
}

describe('docs/language.md', () => {
  test('has a row for every checkbox, in order', () => {
    const wanted = sections.flatMap((count, i) => Array.from({ length: count }, (_, k) => `${i + 1}.${k + 1}`))
    expect(rows.map(({ number }) => number)).toEqual([...wanted, '18'])
    expect(points.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)))
  })

  test('every state is done, differs, or not yet, and has a reason where it is not done', () => {
    expect([...rows, ...points].filter(({ state }) => !/^(done|differs: .{10,}|not yet: .{10,})$/.test(state))).toEqual(
      [],
    )
  })

  test('what is done is proved', () => {
    expect([...rows, ...points].filter(row => row.state === 'done' && proofsOf(row).length === 0)).toEqual([])
  })

  test.each([...rows, ...points.map(point => ({ ...point, number: `better ${point.number}` }))])(
    'the tests of $number exist',
    row => {
      const missing = proofsOf(row).filter(({ kind, file, title }) =>
        kind === 'sample' ? !samples.has(title) : !hasTest(file, title),
      )
      expect(missing).toEqual([])
    },
  )

  test.each(rows)('the tests of $number name it', row => {
    const silent = proofsOf(row).filter(({ kind, title }) =>
      kind === 'sample' ? samples.get(title)?.includes(row.number) !== true : !namesRule(title, row.number),
    )
    // A title such as "3.2 to 3.6" means what lies between, too.
    expect(silent.filter(({ title }) => !/^\d+\.\d+ to \d+\.\d+ /.test(title))).toEqual([])
  })
})

describe('the table cannot lie', () => {
  test('a test that does not exist is noticed', () => {
    expect(hasTest('test/language-table.test.ts', 'the table cannot lie')).toBe(true)
    expect(hasTest('test/language-table.test.ts', ['no', 'such', 'title'].join(' '))).toBe(false)
    expect(hasTest('test/no-such.test.ts', 'the table cannot lie')).toBe(false)
  })

  test('a number in a title is the whole number', () => {
    expect(namesRule('12.1 sources', '12.1')).toBe(true)
    expect(namesRule('12.10 links', '12.1')).toBe(false)
    expect(namesRule('2.1 names', '12.1')).toBe(false)
    expect(namesRule('7.7, 7.14 scratch', '7.14')).toBe(true)
  })
})
