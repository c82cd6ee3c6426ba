import { foldCopyLine, type NeedsReport } from '#analyze'
import type { Paint } from '../color.ts'
import { formatSize } from '../size.ts'
import { oneLine } from '../text-width.ts'
import { denseTable, section } from './columns.ts'
import type { ReportView } from './render-analysis.ts'

/** What programs need, and the lines that copy it. */
export function renderNeeds(report: NeedsReport, view: ReportView): string {
  const { paint } = view
  const { needs, broken, in: other, copy } = report
  const isAll = copy.length > 0 && other === undefined
  const table = denseTable(
    [
      ...(other
        ? [
            {
              title: 'THERE',
              cell: (row: Row) => row.there ?? '',
              paint: (tint: Paint, text: string) => state(tint, text),
            },
          ]
        : []),
      { title: 'SIZE', cell: row => formatSize(row.bytes), right: true },
      { title: 'KIND', cell: row => row.kind },
      { title: 'PATH', cell: row => `/${row.path}`, yields: true },
      { title: 'WHY', cell: row => whyText(row.why), fills: true },
    ],
    needs,
    view,
  )
  const lines = [
    ...broken.map(({ name, by }) =>
      paint('red', `missing in ${oneLine(report.image)}: ${oneLine(name)}, for /${oneLine(by)}`),
    ),
    ...[...report.problems, ...(other?.problems ?? [])].map(problem => paint('red', oneLine(problem))),
    ...(report.loadsAtRunTime
      ? [paint('dim', 'something here loads libraries by name while it runs: try what you copy')]
      : []),
  ]
  const title = isAll ? 'To copy all of it' : other ? `To copy what ${oneLine(other.name)} lacks` : 'Nothing to copy'
  return [
    table,
    lines.map(line => `${line}\n`).join(''),
    section(
      `${title} (${formatSize(report.copyBytes)})`,
      copy.map(line => `${foldCopyLine(oneLine(line))}\n`).join(''),
      paint,
    ),
    copy.length === 0 ? `\n${paint('green', `${oneLine(other?.name ?? report.image)} has all of it`)}\n` : '',
  ].join('')
}

/** Where a file lies that asks for another is told by its own row. */
function whyText(why: string): string {
  return why.replace(/^for \/(?:.*\/)?([^/]+)$/, 'for $1')
}

type Row = NeedsReport['needs'][number]

function state(paint: Paint, text: string): string {
  return paint(text === 'same' ? 'green' : text === 'missing' ? 'red' : 'yellow', text)
}
