import { expect, test } from 'vitest'
import { type Column, renderTable } from './table.ts'
import { textWidth } from './text-width.ts'

interface Row {
  readonly name: string
  readonly text: string
  readonly size: string
}

const columns: Column<Row>[] = [
  { title: 'NAME', cell: row => row.name },
  { title: 'TEXT', cell: row => row.text, shrinks: true },
  { title: 'SIZE', cell: row => row.size },
]

test('columns are aligned, also with wide characters', () => {
  const rows = [
    { name: 'a', text: '日本語', size: '1B' },
    { name: 'a-long-name', text: 'x', size: '22B' },
  ]
  expect(renderTable(columns, rows)).toBe(
    ['NAME          TEXT      SIZE', 'a             日本語    1B', 'a-long-name   x         22B', ''].join('\n'),
  )
})

test('only titles when there are no rows', () => {
  expect(renderTable(columns, [])).toBe('NAME      TEXT      SIZE\n')
})

test('a cell cannot steer the terminal or break the line', () => {
  const text = renderTable(columns, [{ name: 'x\x1b[31m\ny\r', text: 'a\tb', size: '\x07' }])
  expect(text.split('\n')[1]).toBe('x y       a b')
})

test('on a narrow window the shrinking column gives way, the others stay whole', () => {
  const rows = [{ name: 'name', text: 'word '.repeat(20).trim(), size: '123MB' }]
  const [, line = ''] = renderTable(columns, rows, 50).split('\n')
  expect(textWidth(line)).toBeLessThanOrEqual(50)
  expect(line).toMatch(/^name {6}word word.*… {3}123MB$/)
  expect(renderTable(columns, rows)).toContain('word '.repeat(20).trim())
})
