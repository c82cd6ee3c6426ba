import { fitEnd, fitText, oneLine, padText, textWidth } from '../text-width.ts'
import type { Paint } from '../color.ts'

/** One column of a dense table, as reports have them. */
export interface DenseColumn<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  /** Numbers stand at the right. */
  readonly right?: boolean
  /** Takes what is left of the window; at most one column does. */
  readonly fills?: boolean
  /** Gives way, from its left end, where the filling column is at its narrowest and the table still too wide. */
  readonly yields?: boolean
  readonly paint?: (paint: Paint, text: string, row: Row) => string
}

export interface DenseTable {
  /** Columns of the window, or of what is assumed where there is none. */
  readonly width: number
  readonly paint: Paint
  readonly indent?: number
}

const gap = 2
const narrowest = 12

/** A table whose columns are as wide as they need to be; one fills the window and is cut there. */
export function denseTable<Row>(
  columns: readonly DenseColumn<Row>[],
  rows: readonly Row[],
  { width, paint, indent = 0 }: DenseTable,
): string {
  const cells = rows.map(row => columns.map(column => oneLine(column.cell(row))))
  const widths = columns.map((column, i) =>
    Math.max(textWidth(column.title), ...cells.map(line => textWidth(line[i] ?? ''))),
  )
  const filling = columns.findIndex(column => column.fills)
  if (filling !== -1) {
    const others = widths.reduce((sum, each, i) => (i === filling ? sum : sum + each + gap), indent)
    widths[filling] = Math.max(narrowest, Math.min(widths[filling] ?? 0, width - others))
  }
  const yielding = columns.findIndex(column => column.yields)
  const whole = widths.reduce((sum, each) => sum + each + gap, indent - gap)
  if (yielding !== -1 && whole > width) {
    widths[yielding] = Math.max(narrowest, (widths[yielding] ?? 0) - (whole - width))
  }
  const line = (texts: readonly string[], style: (text: string, i: number) => string): string => {
    const parts = texts.map((text, i) => {
      const space = widths[i] ?? 0
      const fitted = columns[i]?.yields ? fitEnd(text, space) : fitText(text, space)
      const blank = ' '.repeat(Math.max(0, space - textWidth(fitted)))
      if (columns[i]?.right) return blank + style(fitted, i)
      return i === texts.length - 1 ? style(fitted, i) : style(fitted, i) + blank
    })
    return `${padText('', indent)}${parts.join(' '.repeat(gap))}\n`
  }
  const head = line(
    columns.map(({ title }) => title),
    text => paint('dim', text),
  )
  const body = rows.map((row, r) => line(cells[r] ?? [], (text, i) => columns[i]?.paint?.(paint, text, row) ?? text))
  return [head, ...body].join('')
}

/** `label ....` lines under a title, empty where there are none. */
export function section(title: string, body: string, paint: Paint): string {
  return body === '' ? '' : `\n${paint('bold', title)}\n${body}`
}
