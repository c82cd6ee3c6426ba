import type { FileDifference, ImageDiff } from '#analyze'
import type { Paint } from '../color.ts'
import { formatSize } from '../size.ts'
import { oneLine, wrapText } from '../text-width.ts'
import { denseTable, section } from './columns.ts'
import type { ReportView } from './render-analysis.ts'

/** The difference as a person reads it; `-` is the first image, `+` the second. */
export function renderDiff(diff: ImageDiff, view: ReportView): string {
  const { paint } = view
  return [
    renderSides(diff, view),
    diff.equal ? `\n${paint('green', 'no difference')}\n` : '',
    section('Settings', renderConfig(diff, view), paint),
    section('History', renderHistory(diff, view), paint),
    section('Packages', renderPackages(diff, view), paint),
    section('Directories', renderDirectories(diff, view), paint),
    section('Files', renderFiles(diff, view), paint),
  ].join('')
}

function renderSides({ first, second, commonLayers, totals }: ImageDiff, view: ReportView): string {
  const table = denseTable(
    [
      { title: '', cell: row => row.sign, paint: (paint, text) => signed(paint, text) },
      { title: 'IMAGE', cell: row => row.name, fills: true },
      { title: 'ID', cell: row => row.id.slice(7, 19) },
      { title: 'PLATFORM', cell: row => row.platform },
      { title: 'LAYERS', cell: row => String(row.layers), right: true },
      { title: 'SIZE', cell: row => formatSize(row.size), right: true },
      { title: 'VISIBLE', cell: row => formatSize(row.visible), right: true },
    ],
    [
      { sign: '-', ...first },
      { sign: '+', ...second },
    ],
    view,
  )
  const { added, removed, changed, metadata } = totals
  const summary = [
    `${commonLayers} ${commonLayers === 1 ? 'layer' : 'layers'} in common`,
    `${added.count} added (${formatSize(added.bytes)})`,
    `${removed.count} removed (${formatSize(removed.bytes)})`,
    `${changed.count} changed (${difference(changed.after - changed.before)})`,
    `${metadata.count} only in metadata`,
  ]
  return `${table}${wrapText(summary.join(', '), view.width).join('\n')}\n`
}

function difference(bytes: number): string {
  return `${bytes > 0 ? '+' : ''}${formatSize(bytes)}`
}

function signed(paint: Paint, text: string): string {
  return text.startsWith('-') ? paint('red', text) : text.startsWith('+') ? paint('green', text) : text
}

/** A line that goes on, indented, where the window ends. */
function signedLine(sign: string, text: string, { paint, width }: ReportView): string {
  const [first = '', ...more] = wrapText(oneLine(text), width - 2)
  return [`${sign} ${first}`, ...more.map(each => `    ${each}`)]
    .map(each => `${paintSign(paint, sign, each)}\n`)
    .join('')
}

function paintSign(paint: Paint, sign: string, text: string): string {
  return paint(sign === '-' ? 'red' : 'green', text)
}

function renderConfig({ config }: ImageDiff, view: ReportView): string {
  const line = (sign: string, field: string, value: string | undefined): string =>
    value === undefined ? '' : signedLine(sign, `${field} = ${value}`, view)
  return config.map(({ field, before, after }) => line('-', field, before) + line('+', field, after)).join('')
}

function renderHistory({ history: { common, first, second } }: ImageDiff, view: ReportView): string {
  if (first.length + second.length === 0) return ''
  const lines = (sign: string, texts: readonly string[]): string =>
    texts.map(text => signedLine(sign, text, view)).join('')
  return `${view.paint('dim', `  ${common} ${common === 1 ? 'entry' : 'entries'} in common`)}\n${lines('-', first)}${lines('+', second)}`
}

function renderPackages({ packages }: ImageDiff, view: ReportView): string {
  if (packages.length === 0) return ''
  const shown = packages.slice(0, view.top)
  const table = denseTable(
    [
      { title: 'BYTES', cell: row => difference(row.bytes), right: true },
      { title: 'MANAGER', cell: row => row.manager },
      { title: 'PACKAGE', cell: row => row.name },
      { title: 'VERSION', cell: row => [row.before ?? 'none', row.after ?? 'none'].join(' → '), fills: true },
    ],
    shown,
    view,
  )
  return table + rest(packages.length - shown.length, 'packages', view)
}

function rest(number: number, what: string, { paint }: ReportView): string {
  return number > 0 ? paint('dim', `and ${number} more ${what} (--top 0 shows all)\n`) : ''
}

function renderDirectories({ directories }: ImageDiff, view: ReportView): string {
  const all = directories.filter(({ path }) => path !== '')
  if (all.length === 0) return ''
  const shown = all.slice(0, view.top)
  const table = denseTable(
    [
      { title: 'BYTES', cell: row => difference(row.bytes), right: true, paint: (paint, text) => signed(paint, text) },
      { title: 'BEFORE', cell: row => formatSize(row.before), right: true },
      { title: 'AFTER', cell: row => formatSize(row.after), right: true },
      { title: 'DIRECTORY', cell: row => `/${row.path}`, fills: true },
    ],
    shown,
    view,
  )
  return table + rest(all.length - shown.length, 'directories', view)
}

const signs = { added: '+', removed: '-', changed: '~', metadata: 'm' } as const

function renderFiles({ files }: ImageDiff, view: ReportView): string {
  if (files.length === 0) return ''
  const shown = files.slice(0, view.top)
  const table = denseTable(
    [
      { title: '', cell: row => signs[row.change], paint: (paint, text) => signed(paint, text) },
      { title: 'BYTES', cell: bytesText, right: true },
      { title: 'PATH', cell: row => `/${row.path}`, fills: true },
      { title: 'WHAT', cell: whatText },
    ],
    shown,
    view,
  )
  return table + rest(files.length - shown.length, 'files', view)
}

function bytesText({ before, after }: FileDifference): string {
  const bytes = (after?.size ?? 0) - (before?.size ?? 0)
  return bytes === 0 ? '-' : difference(bytes)
}

function whatText({ attributes, before, after }: FileDifference): string {
  if (!before || !after) return (before ?? after)?.type ?? ''
  return attributes
    .map(name => {
      if (name === 'mode') return `mode ${before.mode} → ${after.mode}`
      if (name === 'owner') return `owner ${before.owner} → ${after.owner}`
      return name === 'type' ? `${before.type} → ${after.type}` : name
    })
    .join(', ')
}
