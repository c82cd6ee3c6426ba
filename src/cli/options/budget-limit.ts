import type { BudgetAmount, BudgetLimit, BudgetMetric } from '#analyze'
import { cleanPath } from '#tree'
import { usageError } from '../usage-error.ts'
import { parseSize } from './amount.ts'

const names = ['size', 'visible', 'waste', 'savings', 'duplicates', 'files', 'layers', 'layer'] as const

/** `--max METRIC=AMOUNT`, which may be given several times. Throws a `UserError` (wrong usage). */
export function collectBudgetLimit(text: string, previous: readonly BudgetLimit[] = []): BudgetLimit[] {
  const equals = text.lastIndexOf('=')
  const [name, amount] = [text.slice(0, Math.max(0, equals)).trim(), text.slice(equals + 1).trim()]
  const metric = metricOf(name)
  if (metric === undefined || amount === '') {
    throw usageError(
      `invalid limit ${JSON.stringify(text)} for --max`,
      `write METRIC=AMOUNT, such as size=200MB, size=+5% or /app=20MB; the metrics are ${names.join(', ')}, and the paths of directories`,
    )
  }
  return [...previous, { metric, amount: amountOf(metric, amount, text), text }]
}

function metricOf(name: string): BudgetMetric | undefined {
  if (name.startsWith('/')) return { kind: 'directory', path: cleanPath(name) }
  const kind = names.find(each => each === name)
  return kind && { kind }
}

function amountOf(metric: BudgetMetric, amount: string, text: string): BudgetAmount {
  const part = /^\+(\d+(?:\.\d+)?) ?%$/.exec(amount)?.[1]
  if (part !== undefined) return { kind: 'growth-part', most: Number(part) / 100 }
  const isGrowth = amount.startsWith('+')
  const number = amount.replace(/^\+/, '')
  const kind = isGrowth ? 'growth' : 'absolute'
  if (metric.kind !== 'files' && metric.kind !== 'layers') return { kind, most: parseSize(number, '--max') }
  if (/^\d{1,12}$/.test(number)) return { kind, most: Number(number) }
  throw usageError(`invalid limit ${JSON.stringify(text)} for --max`, `write a number: ${metric.kind}=40`)
}
