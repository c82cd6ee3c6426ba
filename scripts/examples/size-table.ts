import type { ImageSize } from './measure-images.ts'
import type { Variant } from './read-examples.ts'

/** What was measured of one image. */
export interface Row extends ImageSize {
  readonly example: string
  readonly variant: string
  readonly about: string
  /** Per cent smaller than the first image of the example; absent for that one. */
  readonly smaller?: number
  /** Per cent. */
  readonly goal?: number
  readonly met?: boolean
  readonly note?: string
}

/** Rows of one example, from its variants and their sizes in the same order. */
export function rowsOf(example: string, variants: readonly Variant[], sizes: readonly ImageSize[]): readonly Row[] {
  const whole = sizes[0]?.size ?? 0
  return variants.map(({ name, about, goal, note }, i) => {
    const { size, compressed } = sizes[i] ?? { size: 0 }
    const smaller = i === 0 ? undefined : (1 - size / whole) * 100
    const met = goal === undefined || smaller === undefined ? undefined : smaller >= goal
    return {
      example,
      variant: name,
      about,
      size,
      ...(compressed !== undefined && { compressed }),
      ...(smaller !== undefined && { smaller }),
      ...(goal !== undefined && { goal, met: met === true }),
      ...(met === false && note !== undefined && { note }),
    }
  })
}

const heads = ['image', 'how', 'size', 'compressed', 'smaller', 'goal'] as const

/** The table for a terminal. */
export function textTable(rows: readonly Row[]): string {
  const cells = [heads, ...rows.map(cellsOf)]
  const widths = heads.map((_, column) => Math.max(...cells.map(line => line[column]?.length ?? 0)))
  const line = (words: readonly string[]): string =>
    words.map((word, i) => (i < 2 ? word.padEnd(widths[i] ?? 0) : word.padStart(widths[i] ?? 0))).join('  ')
  return `${cells.map(words => line(words).trimEnd()).join('\n')}\n`
}

/** The table in Markdown. */
export function markdownTable(rows: readonly Row[]): string {
  const line = (words: readonly string[]): string => `| ${words.join(' | ')} |`
  return `${[line(heads), '|---|---|---:|---:|---:|---|', ...rows.map(row => line(cellsOf(row)))].join('\n')}\n`
}

function cellsOf(row: Row): readonly string[] {
  return [
    `${row.example}:${row.variant}`,
    row.about,
    readableSize(row.size),
    row.compressed === undefined ? '' : readableSize(row.compressed),
    row.smaller === undefined ? '' : `${percent(row.smaller)} %`,
    row.goal === undefined ? '' : `${row.goal} %, ${row.met ? 'met' : 'missed'}`,
  ]
}

/** Never rounded up to a goal, nor to 100. */
function percent(value: number): string {
  return (Math.floor(value * 10) / 10).toFixed(1)
}

/** Bytes in decimal units with three digits. */
export function readableSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}
