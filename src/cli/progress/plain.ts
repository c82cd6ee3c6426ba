import { type ProgressEvent, renderWarning } from '#diagnostics'
import { formatElapsed } from '../age.ts'
import { painter } from '../color.ts'
import { formatRate, formatSize } from '../size.ts'
import { oneLine } from '../text-width.ts'
import {
  type Activity,
  activityOf,
  cacheLines,
  isCancelled,
  isWorthTelling,
  recordTransfer,
  transferSum,
} from './activities.ts'

/** How often a transfer says how far it is (milliseconds): a log that nobody watches live needs no more. */
const transferInterval = 5_000

/**
 * Events as a log, line by line: `#3 [builder 2/4] RUN make`, `#3 0.123 output`, `#3 DONE 1.2s`. Gives the text to
 * write for each event, whole lines only.
 */
export function openPlain(options: { readonly color: boolean }): (event: ProgressEvent) => string {
  const paint = painter(options.color)
  const activities = new Map<number, Activity>()
  const told = new Map<number, number>()
  let count = 0

  const logLines = ({ number, began }: Activity, lines: readonly string[], time: number): string =>
    lines.map(line => `#${number} ${((time - began) / 1000).toFixed(3)} ${line}\n`).join('')

  const transferLine = (activity: Activity, time: number): string => {
    const sum = transferSum(activity)
    if (!sum || !isWorthTelling(sum) || told.get(activity.id) === time) return ''
    told.set(activity.id, time)
    const total = sum.total === undefined || sum.total === sum.done ? '' : ` / ${formatSize(sum.total)}`
    const rate = (sum.done * 1000) / Math.max(1, time - activity.began)
    return `#${activity.number} ${formatSize(sum.done)}${total} ${formatRate(rate)}\n`
  }

  const end = (activity: Activity, time: number): string => {
    activities.delete(activity.id)
    const rest = [...activity.logs.stdout.end(), ...activity.logs.stderr.end()]
    return logLines(activity, rest, time) + transferLine(activity, time)
  }

  return event => {
    if (event.kind === 'warning') return renderWarning(event.warning, options)
    if (event.kind === 'begin') {
      const activity = activityOf(event, ++count)
      activities.set(event.id, activity)
      return `#${activity.number} ${paint('bold', activity.title)}\n`
    }
    if (event.kind === 'span') return ''
    const activity = activities.get(event.id)
    if (!activity) return ''
    const { number, began } = activity
    switch (event.kind) {
      case 'log':
        return logLines(activity, activity.logs[event.stream].write(event.data), event.time)
      case 'transfer':
        recordTransfer(activity, event)
        return event.time - (told.get(event.id) ?? began) < transferInterval ? '' : transferLine(activity, event.time)
      case 'cache':
        return cacheLines(event)
          .map(line => `#${number} ${line}\n`)
          .join('')
      case 'done': {
        const result = event.cached ? paint('blue', 'CACHED') : `DONE ${formatElapsed(event.time - began)}`
        return `${end(activity, event.time)}#${number} ${result}\n`
      }
      case 'failed':
        if (isCancelled(event)) return `${end(activity, event.time)}#${number} CANCELED\n`
        return `${end(activity, event.time)}#${number} ${paint('red', 'ERROR')} ${oneLine(event.message)}\n`
    }
  }
}
