import type { Analysis } from '../analyze-image.ts'

/** What a budget can hold. `layer`: the largest of the image's own; `directory`: all below one. */
export type BudgetMetric =
  | { readonly kind: 'size' | 'visible' | 'waste' | 'savings' | 'duplicates' | 'files' | 'layers' | 'layer' }
  | { readonly kind: 'directory'; readonly path: string }

/** How much it may be. */
export type BudgetAmount =
  /** Bytes, or a number for files and layers. */
  | { readonly kind: 'absolute'; readonly most: number }
  /** More than the baseline has: by a number, or by a part of it. */
  | { readonly kind: 'growth'; readonly most: number }
  | { readonly kind: 'growth-part'; readonly most: number }

export interface BudgetLimit {
  readonly metric: BudgetMetric
  readonly amount: BudgetAmount
  /** As written. */
  readonly text: string
}

/** The figures of an image that later ones are compared with. Plain data, for a file. */
export interface Baseline {
  readonly version: 1
  readonly image: string
  readonly id: string
  readonly size: number
  readonly visible: number
  readonly waste: number
  readonly savings: number
  readonly duplicates: number
  readonly files: number
  readonly layers: readonly { readonly instruction: string; readonly size: number; readonly inBase: boolean }[]
  /** Bytes by directory, without leading slash. */
  readonly directories: Readonly<Record<string, number>>
}

/** One limit, held or not. For `layer`, one for each layer of the image's own. */
export interface BudgetCheck {
  readonly limit: string
  /** What was looked at, for people: `size`, `/app`, `layer RUN make`. */
  readonly what: string
  readonly unit: 'bytes' | 'number'
  readonly value: number
  /** What it may be at most. */
  readonly most: number
  /** What the baseline has, where there is one and it has it. */
  readonly before?: number
  readonly ok: boolean
}

export interface BudgetReport {
  readonly now: Baseline
  readonly before?: Baseline
  readonly checks: readonly BudgetCheck[]
  readonly ok: boolean
}

/** The figures of an analysis. */
export function baselineOf({ image, totals, layers, directories }: Analysis): Baseline {
  const { size, visible, waste, savings, duplicates, files } = totals
  return {
    version: 1,
    image: image.name,
    id: image.id,
    size,
    visible,
    waste,
    savings,
    duplicates,
    files,
    layers: layers.map(each => ({ instruction: each.instruction.text, size: each.size, inBase: each.inBase })),
    directories: Object.fromEntries(directories.map(({ path, bytes }) => [path, bytes])),
  }
}

/** Holds an image to its budget. Limits on growth need `before`: what they find in it counts as 0 where it has nothing. */
export function checkBudget(now: Baseline, limits: readonly BudgetLimit[], before?: Baseline): BudgetReport {
  const checks = limits.flatMap(limit => checksOf(limit, now, before))
  return { now, ...(before && { before }), checks, ok: checks.every(({ ok }) => ok) }
}

function checksOf({ metric, amount, text }: BudgetLimit, now: Baseline, before?: Baseline): BudgetCheck[] {
  const check = (what: string, value: number, old: number | undefined): BudgetCheck => {
    const most = mostOf(amount, old ?? 0)
    const unit = metric.kind === 'files' || metric.kind === 'layers' ? 'number' : 'bytes'
    return { limit: text, what, unit, value, most, ...(old !== undefined && { before: old }), ok: value <= most }
  }
  if (metric.kind === 'layer') {
    return now.layers.flatMap(({ instruction, size, inBase }) =>
      inBase ? [] : [check(`layer ${instruction}`, size, before && layerBefore(instruction, before))],
    )
  }
  const read = reader(metric)
  return [check(metric.kind === 'directory' ? `/${metric.path}` : metric.kind, read(now), before && read(before))]
}

/** A layer is the same one where its instruction is. */
function layerBefore(instruction: string, { layers }: Baseline): number | undefined {
  return layers.find(each => !each.inBase && each.instruction === instruction)?.size
}

function reader(metric: Exclude<BudgetMetric, { kind: 'layer' }>): (baseline: Baseline) => number {
  switch (metric.kind) {
    case 'directory':
      return ({ directories }) => directories[metric.path] ?? 0
    case 'layers':
      return ({ layers }) => layers.length
    case 'layer':
      return () => 0
    default:
      return baseline => baseline[metric.kind as 'size']
  }
}

function mostOf(amount: BudgetAmount, before: number): number {
  switch (amount.kind) {
    case 'absolute':
      return amount.most
    case 'growth':
      return before + amount.most
    case 'growth-part':
      return Math.floor(before * (1 + amount.most))
  }
}

/** A stored baseline; undefined for anything else. */
export function parseBaseline(text: string): Baseline | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const baseline = value as Partial<Baseline> | null
  if (baseline?.version !== 1 || !Array.isArray(baseline.layers)) return undefined
  const numbers = [
    baseline.size,
    baseline.visible,
    baseline.waste,
    baseline.savings,
    baseline.duplicates,
    baseline.files,
  ]
  const isWhole = numbers.every(each => typeof each === 'number') && typeof baseline.directories === 'object'
  return isWhole ? (baseline as Baseline) : undefined
}
