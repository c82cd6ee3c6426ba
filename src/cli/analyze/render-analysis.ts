import { type Analysis, type Cause, type Instruction, kindTitles, type LayerReport, tellingDirectories } from '#analyze'
import type { Paint } from '../color.ts'
import { formatSize } from '../size.ts'
import { fitText, oneLine, wrapText } from '../text-width.ts'
import { type DenseColumn, denseTable, section } from './columns.ts'

export interface ReportView {
  readonly width: number
  readonly paint: Paint
  /** Rows of each list. */
  readonly top: number
}

/** The analysis as a person reads it. */
export function renderAnalysis(analysis: Analysis, view: ReportView): string {
  const { paint, top } = view
  return [
    renderHead(analysis, view),
    section('Layers', renderLayers(analysis, view), paint),
    section('What could be saved', renderCauses(analysis, view), paint),
    section('Largest directories', renderDirectories(analysis, view), paint),
    section('Packages', renderPackages(analysis, view), paint),
    section('Kinds of files that are seldom needed', renderKinds(analysis, view), paint),
    section('Equal files', renderDuplicates(analysis, { ...view, top: Math.min(top, 5) }), paint),
  ].join('')
}

function renderHead({ image, base, totals, layers }: Analysis, { paint, width }: ReportView): string {
  const own = layers.filter(layer => !layer.inBase).reduce((sum, { size }) => sum + size, 0)
  const share = own === 0 ? '' : ` (${percent(totals.waste, own)} of its own ${formatSize(own)})`
  const inBase = totals.wasteInBase.byBase + totals.wasteInBase.byOwn
  const lines: [string, string][] = [
    ['image', `${paint('bold', oneLine(image.name))}  ${image.platform}  ${image.id.slice(7, 19)}`],
    ['base', baseText(base)],
    [
      'size',
      `${formatSize(totals.size)} in ${count(layers.length, 'layer')}; ${formatSize(totals.visible)} can be seen`,
    ],
    ['files', `${totals.files}`],
    ['waste', `${paint(totals.waste > 0 ? 'yellow' : 'green', formatSize(totals.waste))}${share}`],
    ...(inBase > 0 ? [['hidden', `${formatSize(inBase)} of the base image`] as [string, string]] : []),
    ['savings', `${formatSize(totals.savings)} by the changes below`],
  ]
  return lines.map(([name, text]) => `${paint('dim', name.padEnd(8))}${fitStyled(text, width - 8)}\n`).join('')
}

/** Coloured text is short; only a long name of an image needs cutting. */
function fitStyled(text: string, width: number): string {
  return text.includes('\u001b') ? text : fitText(text, width)
}

const sources = {
  build: 'as it was built',
  given: 'as given',
  store: 'found in the store',
  history: 'by the history',
  none: '',
} as const

function baseText({ layers, reference, source }: Analysis['base']): string {
  if (layers === 0) return source === 'build' ? 'scratch' : 'not known (--base IMAGE names it)'
  return `${reference === undefined ? '' : `${oneLine(reference)}, `}${count(layers, 'layer')}, ${sources[source]}`
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

function percent(part: number, whole: number): string {
  const value = (100 * part) / whole
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`
}

function renderLayers({ layers }: Analysis, { width, paint }: ReportView): string {
  const amount = (title: string, read: (row: LayerReport) => number, style?: 'yellow'): DenseColumn<LayerReport> => ({
    title,
    cell: row => (read(row) === 0 ? '-' : formatSize(read(row))),
    right: true,
    paint: (tint, text) => (text === '-' ? tint('dim', text) : style ? tint(style, text) : text),
  })
  const hasAny = (read: (row: LayerReport) => number): boolean => layers.some(row => read(row) > 0)
  const hasLines = layers.some(({ instruction }) => instruction.lines)
  const columns: DenseColumn<LayerReport>[] = [
    { title: '#', cell: row => String(row.layer), right: true },
    ...(hasLines ? [{ title: 'LINE', cell: lineText, right: true } satisfies DenseColumn<LayerReport>] : []),
    amount('SIZE', row => row.size),
    amount('ADDED', row => row.added),
    ...(hasAny(row => row.changed) ? [amount('CHANGED', row => row.changed)] : []),
    ...(hasAny(row => row.reowned) ? [amount('RE-OWNED', row => row.reowned)] : []),
    ...(hasAny(row => row.removed) ? [amount('REMOVED', row => row.removed)] : []),
    ...(hasAny(row => row.hidden) ? [amount('HIDDEN', row => row.hidden, 'yellow')] : []),
    { title: 'INSTRUCTION', cell: ({ instruction }) => instruction.text || '(no history)', fills: true },
  ]
  return denseTable(columns, layers, { width, paint })
}

function lineText({ instruction: { lines }, inBase }: LayerReport): string {
  return inBase ? 'base' : lines ? String(lines.first) : ''
}

function renderCauses({ causes }: Analysis, { width, paint, top }: ReportView): string {
  const shown = causes.slice(0, top)
  const blocks = shown.map((cause, i) => renderCause(cause, i + 1, { width, paint }))
  return [...blocks, ...more(causes.length - shown.length, 'cause', paint)].join('')
}

function renderCause(cause: Cause, number: number, { width, paint }: Omit<ReportView, 'top'>): string {
  const { saving, kind, inBase, instruction, by } = cause
  const amount = saving > 0 ? paint(inBase ? 'dim' : 'yellow', formatSize(saving)) : paint('cyan', 'faster builds')
  const where = `${whereText(instruction, inBase)}${by ? `, ${inBase ? 'by ' : ''}${whereText(by.instruction, false)}` : ''}`
  const indent = '    '
  const wrapped = (text: string, style: 'green' | undefined): string =>
    wrapText(oneLine(text), width - 4)
      .map(line => `${indent}${style ? paint(style, line) : line}\n`)
      .join('')
  const paths = cause.paths
    .slice(0, 3)
    .map(
      ({ path, bytes, files }) =>
        `${indent}${paint('dim', fitText(`/${oneLine(path)}`, width - 26))}  ${formatSize(bytes)}${path.endsWith('/') ? paint('dim', ` in ${count(files, 'file')}`) : ''}\n`,
    )
  const hidden = cause.paths.length - paths.length
  return [
    `${paint('dim', String(number).padStart(2))}  ${amount}  ${paint('bold', kind)}  ${paint('dim', fitText(where, Math.max(10, width - 12 - kind.length - 8)))}\n`,
    wrapped(cause.title, undefined),
    ...paths,
    ...(hidden > 0 ? [`${indent}${paint('dim', `and ${hidden} more`)}\n`] : []),
    wrapped(cause.rewrite.text, 'green'),
    // Not cut: they are to be copied.
    ...cause.rewrite.lines.map(line => `${indent}  ${paint('green', printable(line))}\n`),
  ].join('')
}

/** One line as it is to be written: blanks at its beginning stay. */
function printable(line: string): string {
  const blanks = /^ */.exec(line)?.[0] ?? ''
  return blanks + oneLine(line.slice(blanks.length))
}

function whereText({ lines, text }: Instruction, inBase: boolean): string {
  if (inBase) return 'base image'
  return lines ? `line ${lines.first}` : oneLine(text).slice(0, 32) || 'no history'
}

function more(number: number, word: string, paint: Paint): string[] {
  return number > 0 ? [paint('dim', `    and ${count(number, `more ${word}`)} (--top 0 shows all)\n`)] : []
}

function renderDirectories({ directories, totals }: Analysis, view: ReportView): string {
  const telling = tellingDirectories(directories)
  return denseTable(
    [
      { title: 'SIZE', cell: row => formatSize(row.bytes), right: true },
      { title: 'SHARE', cell: row => percent(row.bytes, Math.max(1, totals.visible)), right: true },
      { title: 'FILES', cell: row => String(row.files), right: true },
      { title: 'DIRECTORY', cell: row => `/${row.path}`, fills: true },
    ],
    telling.slice(0, view.top),
    view,
  )
}

function renderPackages({ packages }: Analysis, view: ReportView): string {
  if (packages.length === 0) return ''
  const shown = packages.slice(0, view.top)
  const table = denseTable(
    [
      { title: 'SIZE', cell: row => formatSize(row.bytes), right: true },
      { title: 'FILES', cell: row => String(row.files), right: true },
      { title: 'MANAGER', cell: row => row.manager },
      { title: 'PACKAGE', cell: row => `${row.name} ${row.version}`, fills: true },
      { title: 'FROM', cell: row => (row.inBase ? 'base' : '') },
    ],
    shown,
    view,
  )
  return [table, ...more(packages.length - shown.length, 'package', view.paint)].join('')
}

function renderKinds({ kinds }: Analysis, view: ReportView): string {
  const rows = kinds.filter(({ bytes }) => bytes > 0)
  if (rows.length === 0) return ''
  return denseTable(
    [
      { title: 'SIZE', cell: row => formatSize(row.bytes), right: true },
      { title: 'IN BASE', cell: row => (row.inBase === 0 ? '-' : formatSize(row.inBase)), right: true },
      { title: 'FILES', cell: row => String(row.files), right: true },
      { title: 'KIND', cell: row => kindTitles[row.kind] },
    ],
    rows,
    view,
  )
}

function renderDuplicates({ duplicates }: Analysis, view: ReportView): string {
  if (duplicates.length === 0) return ''
  const shown = duplicates.slice(0, view.top)
  const table = denseTable(
    [
      { title: 'EXTRA', cell: row => formatSize(row.extra), right: true },
      { title: 'COPIES', cell: row => String(row.paths.length), right: true },
      {
        title: 'PATHS',
        cell: row =>
          row.paths
            .slice(0, 4)
            .map(path => `/${path}`)
            .join('  '),
        fills: true,
      },
    ],
    shown,
    view,
  )
  return [table, ...more(duplicates.length - shown.length, 'content', view.paint)].join('')
}
