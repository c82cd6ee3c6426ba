import { usageError } from '../usage-error.ts'
import { parseSize } from './amount.ts'

/** What `--fail-on` can look at. */
export const limitMetrics = ['size', 'waste', 'savings', 'duplicates', 'base-waste', 'layers', 'files'] as const

/** `waste>10MB`: what must not be more than how much. */
export interface Limit {
  readonly metric: (typeof limitMetrics)[number]
  /** Bytes, or a number for layers and files; a part of the image's size for `percent`. */
  readonly most: number
  readonly unit: 'number' | 'percent'
  /** As written. */
  readonly text: string
}

/** `--fail-on METRIC>AMOUNT`, which may be given several times. Throws a `UserError` (wrong usage). */
export function collectLimit(text: string, previous: readonly Limit[] = []): Limit[] {
  const [, name = '', amount = ''] = /^ *([a-z-]+) *> *(.+?) *$/.exec(text) ?? []
  const metric = limitMetrics.find(each => each === name)
  if (metric === undefined) {
    throw usageError(
      `invalid limit ${JSON.stringify(text)} for --fail-on`,
      `write METRIC>AMOUNT, such as "waste>10MB"; the metrics are ${limitMetrics.join(', ')}`,
    )
  }
  return [...previous, { metric, text, ...parseAmount(metric, amount, text) }]
}

function parseAmount(metric: Limit['metric'], amount: string, text: string): Pick<Limit, 'most' | 'unit'> {
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(amount)?.[1]
  if (metric === 'layers' || metric === 'files') {
    if (/^\d+$/.test(amount)) return { most: Number(amount), unit: 'number' }
    throw usageError(`invalid limit ${JSON.stringify(text)} for --fail-on`, `write a number: "${metric}>40"`)
  }
  if (percent === undefined) return { most: parseSize(amount, '--fail-on'), unit: 'number' }
  if (metric !== 'size') return { most: Number(percent) / 100, unit: 'percent' }
  throw usageError(`"${text}" would compare the size with itself`, 'write a size: "size>200MB"')
}
