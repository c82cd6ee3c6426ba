import type { Baseline, BudgetCheck, BudgetReport } from '#analyze'
import { formatSize } from '../size.ts'
import { oneLine } from '../text-width.ts'
import { type DenseColumn, denseTable } from './columns.ts'
import type { ReportView } from './render-analysis.ts'

/** Limits and how they are held, as a table. */
export function renderBudget(report: BudgetReport, view: ReportView): string {
  const { paint } = view
  const { now, before, checks, ok } = report
  const totals = `${oneLine(now.image)}  ${formatSize(now.size)}, ${formatSize(now.waste)} waste${before ? `, ${change(now.size, before.size)} against ${oneLine(before.image)}` : ''}\n`
  if (checks.length === 0) return totals
  const columns: DenseColumn<BudgetCheck>[] = [
    {
      title: '',
      cell: row => (row.ok ? 'ok' : 'OVER'),
      paint: (tint, text) => tint(text === 'ok' ? 'green' : 'red', text),
    },
    { title: 'NOW', cell: row => amountText(row, row.value), right: true },
    ...(before
      ? [
          {
            title: 'BEFORE',
            cell: row => (row.before === undefined ? '-' : amountText(row, row.before)),
            right: true,
          } satisfies DenseColumn<BudgetCheck>,
        ]
      : []),
    { title: 'MOST', cell: row => amountText(row, row.most), right: true },
    { title: 'LIMIT', cell: row => row.limit },
    { title: 'WHAT', cell: row => row.what, fills: true },
  ]
  const broken = checks.filter(each => !each.ok).length
  const end = ok ? paint('green', 'within the budget') : paint('red', `over the budget: ${broken} of ${checks.length}`)
  return `${totals}${denseTable(columns, checks, view)}${end}\n`
}

function amountText({ unit }: Pick<BudgetCheck, 'unit'>, value: number): string {
  return unit === 'bytes' ? formatSize(value) : String(value)
}

function change(now: number, before: number): string {
  const bytes = now - before
  const part = before === 0 ? '' : ` (${bytes >= 0 ? '+' : ''}${((100 * bytes) / before).toFixed(1)} %)`
  return `${bytes >= 0 ? '+' : ''}${formatSize(bytes)}${part}`
}

/** Rows of each list in a pull request: what nobody reads is left out. */
const mostRows = 10

/** The report as GitHub-flavoured Markdown. */
export function budgetMarkdown({ now, before, checks, ok }: BudgetReport): string {
  const title = `### ${ok ? '✅' : '❌'} Image size: ${cell(now.image)} ${formatSize(now.size)}${before ? `, ${change(now.size, before.size)}` : ''}`
  const limits = table(
    ['', 'what', 'now', ...(before ? ['before'] : []), 'at most', 'limit'],
    checks.map(check => [
      check.ok ? '✅' : '❌',
      cell(check.what),
      amountText(check, check.value),
      ...(before ? [check.before === undefined ? '–' : amountText(check, check.before)] : []),
      amountText(check, check.most),
      `\`${check.limit.replaceAll('`', '')}\``,
    ]),
  )
  return [title, limits, ...(before ? growth(now, before) : [])].filter(part => part !== '').join('\n\n') + '\n'
}

function growth(now: Baseline, before: Baseline): string[] {
  const totals = (['size', 'visible', 'waste', 'files'] as const).map(name => {
    const text = (value: number): string => (name === 'files' ? String(value) : formatSize(value))
    const difference = now[name] - before[name]
    return [name, text(before[name]), text(now[name]), `${difference > 0 ? '+' : ''}${text(difference)}`]
  })
  const paths = [...new Set([...Object.keys(now.directories), ...Object.keys(before.directories)])]
  const directories = paths
    .map(path => ({ path, bytes: (now.directories[path] ?? 0) - (before.directories[path] ?? 0) }))
    .filter(({ path, bytes }) => path !== '' && bytes !== 0)
    .sort((a, b) => Math.abs(b.bytes) - Math.abs(a.bytes) || (a.path < b.path ? -1 : 1))
    .slice(0, mostRows)
  const layers = now.layers
    .map(({ instruction, size }) => ({
      instruction,
      bytes: size - (before.layers.find(each => each.instruction === instruction)?.size ?? 0),
    }))
    .filter(({ bytes }) => bytes !== 0)
    .slice(0, mostRows)
  const signed = (bytes: number): string => `${bytes > 0 ? '+' : ''}${formatSize(bytes)}`
  return [
    table(['', 'before', 'now', 'change'], totals),
    table(
      ['layer', 'change'],
      layers.map(({ instruction, bytes }) => [code(instruction), signed(bytes)]),
    ),
    table(
      ['directory', 'change'],
      directories.map(({ path, bytes }) => [code(`/${path}`), signed(bytes)]),
    ),
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text of an image must not become markup. */
function cell(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]<>()#|!@]/g, String.raw`\$&`)
}

function code(text: string): string {
  const short = oneLine(text).replaceAll('`', "'").replaceAll('|', String.raw`\|`)
  return `\`${short.length > 100 ? `${short.slice(0, 99)}…` : short}\``
}
