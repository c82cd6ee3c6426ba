import type { ProgressEvent, ProgressSink } from '#diagnostics'
import { type CriticalStep, criticalPath } from './critical-path.ts'
import { traceText } from './trace-events.ts'

/** Something that took time. Milliseconds since 1970. */
export interface TraceSpan {
  readonly kind: 'activity' | 'part' | 'transfer'
  readonly name: string
  readonly begin: number
  readonly end: number
  /** The activity that it is part of. */
  readonly activity?: number
  /** What belongs together and stands below each other: a stage, or what is no stage's. */
  readonly group: string
  /** The stage that was waited for. */
  readonly waitsFor?: string
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** Follows a build to say where its time went. */
export interface Trace {
  readonly sink: ProgressSink
  /** Whether nothing happened. */
  readonly isEmpty: () => boolean
  /** The Chrome trace of what happened so far. */
  readonly text: () => string
  /** What the build's time consists of, in the order in which it ran: shortening anything else makes it no quicker. */
  readonly criticalPath: () => readonly CriticalStep[]
}

interface Running {
  readonly id: number
  readonly name: string
  readonly group: string
  readonly begin: number
  readonly transfers: Map<string, { readonly begin: number; end: number; bytes: number }>
}

const noStage = 'build'

export function openTrace(): Trace {
  const spans: TraceSpan[] = []
  const running = new Map<number, Running>()
  const finish = (id: number, time: number, details: TraceSpan['details']): void => {
    const activity = running.get(id)
    if (!activity) return
    running.delete(id)
    const { name, group, begin } = activity
    spans.push({ kind: 'activity', name, group, begin, end: time, activity: id, ...(details && { details }) })
    for (const [label, { begin: first, end, bytes }] of activity.transfers) {
      spans.push({ kind: 'transfer', name: label, group, begin: first, end, activity: id, details: { bytes } })
    }
  }
  const take = (event: ProgressEvent): void => {
    switch (event.kind) {
      case 'begin': {
        const { id, text, stage, time } = event
        running.set(id, { id, name: text, group: stage ?? noStage, begin: time, transfers: new Map() })
        return
      }
      case 'span': {
        const { id, name, began, time, waitsFor } = event
        const group = (id === undefined ? undefined : running.get(id)?.group) ?? noStage
        const part = { name, group, begin: began, end: time, ...(waitsFor !== undefined && { waitsFor }) }
        spans.push({ kind: 'part', ...part, ...(id !== undefined && { activity: id }) })
        return
      }
      case 'transfer': {
        const activity = running.get(event.id)
        const known = activity?.transfers.get(event.label)
        if (!known) activity?.transfers.set(event.label, { begin: event.time, end: event.time, bytes: event.done })
        else Object.assign(known, { end: event.time, bytes: event.done })
        return
      }
      case 'done':
        return finish(event.id, event.time, { cached: event.cached })
      case 'failed':
        return finish(event.id, event.time, { failed: event.message })
      case 'log':
      case 'cache':
      case 'warning':
    }
  }
  return {
    sink: take,
    isEmpty: () => spans.length === 0,
    text: () => traceText(spans),
    criticalPath: () => criticalPath(spans),
  }
}
