import { type ProgressEvent, renderWarning } from '#diagnostics'
import { formatElapsed } from '../age.ts'
import { type Paint, painter } from '../color.ts'
import { formatRate, formatSize } from '../size.ts'
import { fitText, padText, textWidth } from '../text-width.ts'
import {
  type Activity,
  activityOf,
  cacheLines,
  isCancelled,
  isMoving,
  isWorthTelling,
  recordTransfer,
  transferSum,
} from './activities.ts'

/** A window in character cells. */
export interface WindowSize {
  readonly columns: number
  readonly rows: number
}

/** What a terminal shows: lines that stay, above an area that is drawn anew. */
export interface LiveView {
  readonly take: (event: ProgressEvent) => void
  /** The lines that became final since the last call. */
  readonly finished: (window: WindowSize) => string[]
  /** The area now: at most `rows - 1` lines, each at most `columns - 1` wide. Empty when nothing runs. */
  readonly area: (window: WindowSize, now: number) => string[]
  /** Makes everything final: what still runs was cancelled. */
  readonly end: (now: number) => void
}

const shownLogLines = 4
const shownTransfers = 4
/** Durations stand at the right end of a line, but not so far away that the eye loses the line. */
const widest = 120

interface Line {
  readonly label?: string
  readonly activity: Activity
  readonly until: number
  readonly style?: 'blue' | 'red' | 'dim'
}

/** A view without events yet. It writes nothing itself: text comes out as lines. */
export function openLiveView(options: { readonly color: boolean }): LiveView {
  const paint = painter(options.color)
  const running = new Map<number, Activity>()
  const tails = new Map<number, string[]>()
  const counts = { begun: 0, done: 0, cached: 0, failed: 0 }
  let final: (Line | string)[] = []
  let started: number | undefined

  const finish = (activity: Activity, line: Omit<Line, 'activity'>): void => {
    running.delete(activity.id)
    tails.delete(activity.id)
    final.push({ ...line, activity })
  }
  const begin = (event: Extract<ProgressEvent, { kind: 'begin' }>): void => {
    started ??= event.time
    running.set(event.id, activityOf(event, ++counts.begun))
  }
  const log = (activity: Activity, event: Extract<ProgressEvent, { kind: 'log' }>): void => {
    const lines = activity.logs[event.stream].write(event.data).filter(line => line !== '')
    tails.set(activity.id, [...(tails.get(activity.id) ?? []), ...lines].slice(-shownLogLines))
  }
  const take = (event: ProgressEvent): void => {
    if (event.kind === 'begin') return begin(event)
    if (event.kind === 'warning') {
      final.push(...renderWarning(event.warning, options).trimEnd().split('\n'))
      return
    }
    if (event.kind === 'span') return
    const activity = running.get(event.id)
    if (!activity) return
    switch (event.kind) {
      case 'log':
        return log(activity, event)
      case 'transfer':
        return recordTransfer(activity, event)
      case 'cache':
        if (!event.hit)
          final.push(fitText(` => ${activity.title}`, widest), ...cacheLines(event).map(line => `    ${line}`))
        return
      case 'done':
        counts[event.cached ? 'cached' : 'done']++
        return finish(activity, { until: event.time, style: 'blue', ...(event.cached && { label: 'CACHED' }) })
      case 'failed':
        if (isCancelled(event)) return finish(activity, { until: event.time, style: 'dim', label: 'CANCELED' })
        counts.failed++
        return finish(activity, { until: event.time, style: 'red', label: 'ERROR' })
    }
  }
  const details = (activity: Activity): string[] => {
    const moving = [...activity.transfers.values()].filter(isMoving)
    const transfers = activity.transfers.size < 2 ? [] : moving.slice(0, shownTransfers).map(transferText)
    const pending = [activity.logs.stdout.pending(), activity.logs.stderr.pending()].filter(line => line !== '')
    return [...transfers, ...[...(tails.get(activity.id) ?? []), ...pending].slice(-shownLogLines)]
  }
  const summary = (now: number): string => {
    const parts = [
      counts.done > 0 && `${counts.done} done`,
      counts.cached > 0 && `${counts.cached} cached`,
      counts.failed > 0 && `${counts.failed} failed`,
      running.size > 0 && `${running.size} running`,
    ].filter(part => part !== false)
    return `[+] ${formatElapsed(now - (started ?? now))}  ${parts.join(', ')}`
  }
  return {
    take,
    finished(window) {
      const lines = final.map(line => (typeof line === 'string' ? line : stepLine(line, window, paint)))
      final = []
      return lines
    },
    area(window, now) {
      if (running.size === 0) return []
      const width = Math.max(1, window.columns - 1)
      const { steps, hidden } = share([...running.values()], details, window.rows - 2)
      return [
        paint('bold', fitText(summary(now), width)),
        ...steps.flatMap(({ activity, shown }) => [
          stepLine({ activity, until: now }, window, paint),
          ...shown.map(text => paint('dim', fitText(`    | ${text}`, width))),
        ]),
        ...(hidden > 0 ? [paint('dim', fitText(`    ... and ${hidden} more`, width))] : []),
      ].slice(0, Math.max(0, window.rows - 1))
    },
    end(now) {
      for (const activity of running.values()) finish(activity, { until: now, style: 'dim', label: 'CANCELED' })
      if (started !== undefined) final.push(summary(now))
    },
  }
}

interface Share {
  readonly steps: readonly { readonly activity: Activity; readonly shown: readonly string[] }[]
  readonly hidden: number
}

/** Shares `rows` lines: first every activity its own line, then details in turns, the newest kept. */
function share(activities: readonly Activity[], details: (activity: Activity) => string[], rows: number): Share {
  const fits = activities.length <= rows ? activities.length : Math.max(0, rows - 1)
  const chosen = activities.slice(0, fits).map(activity => ({ activity, all: details(activity), given: 0 }))
  let left = Math.max(0, rows - activities.length)
  for (let before = -1; left > 0 && before !== left; ) {
    before = left
    for (const each of chosen) {
      if (left === 0 || each.given === each.all.length) continue
      each.given++
      left--
    }
  }
  const steps = chosen.map(({ activity, all, given }) => ({ activity, shown: given === 0 ? [] : all.slice(-given) }))
  return { steps, hidden: activities.length - fits }
}

/** ` => [builder 2/4] RUN make    12MB / 40MB  3.2MB/s    4.2s`; the title gives way last. */
function stepLine({ label, activity, until, style }: Line, window: WindowSize, paint: Paint): string {
  const width = Math.max(1, Math.min(window.columns - 1, widest))
  const head = ` => ${label === undefined ? '' : `${label} `}${activity.title}`
  const elapsed = formatElapsed(until - activity.began)
  const facts = [...transferFacts(activity, until), elapsed]
  const enough = Math.min(textWidth(head), Math.floor(width / 2))
  const right = facts.find(text => width - textWidth(text) - 2 >= enough) ?? elapsed
  const room = width - textWidth(right) - 1
  if (room < 8) return fitText(head, width)
  const text = `${padText(fitText(head, room), room)} ${right}`
  return style === undefined ? text : paint(style, text)
}

/** What to say about an activity's bytes besides the time, the fullest first. */
function transferFacts(activity: Activity, now: number): string[] {
  const sum = transferSum(activity)
  if (!sum || !isWorthTelling(sum)) return []
  const elapsed = formatElapsed(now - activity.began)
  const of = sum.total === undefined || sum.total === sum.done ? '' : ` / ${formatSize(sum.total)}`
  const perSecond = of === '' ? (sum.done * 1000) / Math.max(1, now - activity.began) : activity.rate.perSecond(now)
  const rate = perSecond === undefined ? [] : [`${formatSize(sum.done)}${of}  ${formatRate(perSecond)}  ${elapsed}`]
  return [...rate, `${formatSize(sum.done)}${of}  ${elapsed}`, `${formatSize(sum.done)}  ${elapsed}`]
}

function transferText({ label, done, total }: { label: string; done: number; total: number | undefined }): string {
  return `${label}  ${formatSize(done)}${total === undefined ? '' : ` / ${formatSize(total)}`}`
}
