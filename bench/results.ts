import type { Machine } from './machine.ts'
import { median, spread } from './statistics.ts'

export interface Measured {
  /** Seconds, by round. */
  readonly wall: readonly number[]
  readonly cpu: readonly number[]
  /** Bytes. */
  readonly memory: number
}

export interface CaseResult {
  readonly id: string
  readonly title: string
  /** By builder. */
  readonly builders: Readonly<Record<string, Measured>>
  readonly floor?: { readonly text: string; readonly seconds: number }
  readonly note?: string
  /** Why a builder has no figures. */
  readonly failures: Readonly<Record<string, string>>
}

export interface Results {
  readonly machine: Machine
  readonly commit: string
  readonly rounds: number
  /** Versions by name. */
  readonly builders: Readonly<Record<string, string>>
  readonly cases: readonly CaseResult[]
  readonly skipped: readonly { readonly id: string; readonly reason: string }[]
}

/** What the project set itself: slipway's median in relation to a peer's. */
export const targets: Readonly<Record<string, Readonly<Partial<Record<'docker (BuildKit)' | 'buildah', number>>>>> = {
  S1: { buildah: 0.4 },
  S2: { 'docker (BuildKit)': 0.12, buildah: 0.12 },
  S3a: { 'docker (BuildKit)': 0.25, buildah: 0.25 },
  S3b: { 'docker (BuildKit)': 0.5, buildah: 0.3 },
  S3c: { 'docker (BuildKit)': 0.3, buildah: 0.3 },
  S4: { 'docker (BuildKit)': 0.6, buildah: 0.4 },
  S5: { 'docker (BuildKit)': 0.6, buildah: 0.5 },
  'S6-gzip': { 'docker (BuildKit)': 0.6, buildah: 0.7 },
  S7: { 'docker (BuildKit)': 1, buildah: 0.6 },
  S8: { 'docker (BuildKit)': 1, buildah: 0.5 },
  S9: { 'docker (BuildKit)': 0.6, buildah: 0.6 },
}

/** Of slipway alone. */
export const ownTargets = {
  /** S1, seconds. */
  cached: 0.12,
  /** S2, seconds a RUN takes beside its command. */
  perRun: 0.012,
  /** S13, bytes. */
  memory: 300 * 2 ** 20,
  /** S14, bytes a file. */
  perFile: 1024,
} as const

export const own = 'slipway'

/** Seconds as a person reads them. */
export function seconds(value: number): string {
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

function cell({ wall }: Measured): string {
  const [low, high] = spread(wall)
  return wall.length === 1 ? seconds(low) : `${seconds(median(wall))} (${seconds(low)} to ${seconds(high)})`
}

export function ratio(result: CaseResult, peer: string): number | undefined {
  const [mine, theirs] = [result.builders[own], result.builders[peer]]
  return mine && theirs && median(mine.wall) / median(theirs.wall)
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function label({ id, title, note, builders }: CaseResult, rounds: number): string {
  const counted = builders[own]?.wall.length ?? rounds
  const fewer = counted < rounds ? [counted === 1 ? 'one round' : `${counted} rounds`] : []
  const about = [...(note === undefined ? [] : [note]), ...fewer]
  return `${id}: ${title}${about.length === 0 ? '' : ` (${about.join('; ')})`}`
}

/** Rows that somebody besides slipway has a part in. */
function compared({ cases }: Results): readonly CaseResult[] {
  return cases.filter(({ builders }) => Object.keys(builders).length > 1)
}

/** Wall time beside the peers, with ratios, targets and the floor. */
export function wallTable(results: Results): string {
  const peers = Object.keys(results.builders).filter(name => name !== own)
  const rows = compared(results).map(result => [
    label(result, results.rounds),
    ...[own, ...peers].map(name => {
      const measured = result.builders[name]
      return measured ? cell(measured) : result.failures[name] === undefined ? '–' : 'failed'
    }),
    ...peers.map(name => ratioCell(result, name)),
    result.floor ? seconds(result.floor.seconds) : '–',
  ])
  return table(['scenario', own, ...peers, ...peers.map(name => `ratio to ${name}`), 'floor'], rows)
}

function ratioCell(result: CaseResult, peer: string): string {
  const value = ratio(result, peer)
  if (value === undefined) return '–'
  const target = targets[result.id]?.[peer as 'buildah']
  if (target === undefined) return value.toFixed(2)
  return `${value <= target ? '' : '**'}${value.toFixed(2)}${value <= target ? '' : '**'} (target ${target})`
}

/** Processor time and memory of everybody's processes. */
export function usageTable(results: Results): string {
  const names = Object.keys(results.builders)
  const rows = compared(results).map(result => [
    result.id,
    ...names.map(name => {
      const measured = result.builders[name]
      return measured ? `${seconds(median(measured.cpu))} s, ${mebibytes(measured.memory)}` : '–'
    }),
  ])
  return table(['scenario', ...names], rows)
}

export function mebibytes(bytes: number): string {
  return bytes === 0 ? '–' : `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

/** What only slipway does here. */
export function ownTable(results: Results): string {
  const rows = results.cases
    .filter(({ builders }) => builders[own] && Object.keys(builders).length === 1)
    .map(result => {
      const measured = result.builders[own] as Measured
      const cells = [
        label(result, results.rounds),
        cell(measured),
        `${seconds(median(measured.cpu))} s`,
        mebibytes(measured.memory),
      ]
      return [...cells, result.floor ? seconds(result.floor.seconds) : '–']
    })
  return table(['scenario', 'wall time, s', 'processor time', 'peak memory', 'floor'], rows)
}

/** What the floors are. */
export function floorList({ cases }: Results): string {
  const lines = cases.flatMap(({ id, floor }) => (floor ? [`- ${id}: ${floor.text}`] : []))
  return lines.join('\n')
}
