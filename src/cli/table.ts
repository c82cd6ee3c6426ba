import { fitText, oneLine, padText, textWidth } from './text-width.ts'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  /** On a terminal this column gives way when the table is wider than the window; else nothing is cut. */
  readonly shrinks?: boolean
}

/** Columns are at least this wide, and this far apart: as Docker's tables. */
const minimumWidth = 10
const gap = 3
const minimumShrunk = 12

/**
 * Rows under their titles, columns aligned, each line ended by a newline. `width` is the window's width where the table
 * goes to a terminal. Cells are made safe to print.
 */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string {
  const lines = [columns.map(column => column.title), ...rows.map(row => columns.map(each => oneLine(each.cell(row))))]
  const widths = columns.map((_, i) => Math.max(...lines.map(line => textWidth(line[i] ?? ''))))
  const last = columns.length - 1
  const takes = (i: number): number => (i === last ? (widths[i] ?? 0) : Math.max(minimumWidth, (widths[i] ?? 0) + gap))
  const shrinking = columns.findIndex(column => column.shrinks)
  if (width !== undefined && shrinking !== -1) {
    const total = columns.reduce((sum, _, i) => sum + takes(i), 0)
    if (total > width) widths[shrinking] = Math.max(minimumShrunk, (widths[shrinking] ?? 0) - (total - width))
  }
  return lines
    .map(line => {
      const cells = line.map((cell, i) => padText(fitText(cell, widths[i] ?? 0), i === last ? 0 : takes(i)))
      return `${cells.join('').trimEnd()}\n`
    })
    .join('')
}

/** Values as JSON, one a line. */
export function renderJsonLines(values: readonly unknown[]): string {
  return values.map(value => `${JSON.stringify(value)}\n`).join('')
}
