import type { ProgressEvent } from '#diagnostics'
import { oneLine } from '../text-width.ts'
import { type LogLines, openLogLines } from './log-lines.ts'
import { openRate, type Rate } from './rate.ts'

type Begin = Extract<ProgressEvent, { kind: 'begin' }>
type Transfer = Extract<ProgressEvent, { kind: 'transfer' }>

/** One activity as far as events told of it. */
export interface Activity {
  readonly id: number
  /** Counts from 1 in order of beginning. */
  readonly number: number
  /** `[builder 2/4] RUN make`: one line, safe to print. */
  readonly title: string
  readonly began: number
  readonly logs: { readonly stdout: LogLines; readonly stderr: LogLines }
  /** By label, in order of appearance. */
  readonly transfers: Map<string, TransferState>
  readonly rate: Rate
}

export interface TransferState {
  readonly label: string
  readonly done: number
  readonly total: number | undefined
}

/** All bytes of an activity together; `total` only where every transfer's is known. */
export interface TransferSum {
  readonly done: number
  readonly total: number | undefined
}

/** A new activity. */
export function activityOf(event: Begin, number: number): Activity {
  return {
    id: event.id,
    number,
    title: titleOf(event),
    began: event.time,
    logs: { stdout: openLogLines(), stderr: openLogLines() },
    transfers: new Map(),
    rate: openRate(),
  }
}

/** `[stage 2/4] text`; the parts that an activity doesn't have are left out. */
export function titleOf({ text, stage, position }: Begin): string {
  const place = [stage, position && `${position.index}/${position.count}`].filter(part => part !== undefined).join(' ')
  return oneLine(place === '' ? text : `[${place}] ${text}`)
}

/** Takes a transfer event into the activity. */
export function recordTransfer(activity: Activity, event: Transfer): void {
  const total = event.total ?? activity.transfers.get(event.label)?.total
  activity.transfers.set(event.label, { label: oneLine(event.label), done: event.done, total })
  activity.rate.add(event.time, transferSum(activity)?.done ?? 0)
}

/** The sum over all transfers; undefined when there are none. */
export function transferSum(activity: Activity): TransferSum | undefined {
  if (activity.transfers.size === 0) return undefined
  let done = 0
  let total: number | undefined = 0
  for (const transfer of activity.transfers.values()) {
    done += transfer.done
    total = transfer.total === undefined || total === undefined ? undefined : total + transfer.total
  }
  return { done, total }
}

/** Fewer bytes than this are not worth telling. */
const fewBytes = 1_000_000

/** Whether the bytes of an activity say something to a person: context files of some kilobytes don't. */
export function isWorthTelling({ done, total }: TransferSum): boolean {
  return Math.max(done, total ?? 0) >= fewBytes
}

/**
 * Whether an activity ended because of another failure or a signal: it did nothing wrong, and must not look like the
 * cause. Builds say `canceled`; what is thrown by an abort says so itself (Node's text, or that of our `Interrupted`).
 */
export function isCancelled({ message }: Extract<ProgressEvent, { kind: 'failed' }>): boolean {
  return message === 'canceled' || message === 'This operation was aborted' || /^stopped by SIG[A-Z]+$/.test(message)
}

/** What `--explain` says about a step, safe to print. That it hit is said by the step's last line anyway. */
export function cacheLines({ hit, reasons }: Extract<ProgressEvent, { kind: 'cache' }>): string[] {
  if (hit) return []
  const [only] = reasons
  if (reasons.length === 1 && only) return [`cache miss: ${oneLine(only.text)}`]
  return ['cache miss:', ...reasons.map(({ text }) => `  ${oneLine(text)}`)]
}

/** Whether bytes of this transfer are still to come. */
export function isMoving(transfer: TransferState): boolean {
  return transfer.total === undefined || transfer.done < transfer.total
}
