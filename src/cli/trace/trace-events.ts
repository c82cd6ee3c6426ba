import type { TraceSpan } from './open-trace.ts'

/**
 * The Trace Event Format of Chrome ("JSON Object Format"), which chrome://tracing and Perfetto load: one process, a thread
 * for each stage and as many more as run at the same time there, complete events (`X`) with microseconds since the
 * build began. What is part of an activity lies within it on the same thread.
 */
export function traceText(spans: readonly TraceSpan[]): string {
  const origin = Math.min(...spans.map(({ begin }) => begin))
  const lanes = openLanes()
  const byActivity = new Map<number, number>()
  const events: object[] = []
  const add = (span: TraceSpan, thread: number): void => {
    const { name, kind, begin, end, details } = span
    events.push({
      name,
      cat: kind,
      ph: 'X',
      ts: (begin - origin) * 1000,
      dur: (end - begin) * 1000,
      pid: processId,
      tid: thread,
      ...(details && { args: details }),
    })
  }
  for (const span of sorted(spans.filter(({ kind }) => kind === 'activity'))) {
    const thread = lanes.take(span.group, span)
    if (span.activity !== undefined) byActivity.set(span.activity, thread)
    add(span, thread)
  }
  const ends = new Map<number, number[]>()
  for (const span of sorted(spans.filter(({ kind }) => kind === 'part'))) {
    const own = span.activity === undefined ? undefined : byActivity.get(span.activity)
    add(span, own !== undefined && fitsInto(ends, own, span) ? own : lanes.take(`${span.group}: parts`, span))
  }
  for (const span of sorted(spans.filter(({ kind }) => kind === 'transfer'))) {
    add(span, lanes.take(`${span.group}: transfers`, span))
  }
  const names = [
    { name: 'process_name', ph: 'M', pid: processId, tid: 0, args: { name: 'slipway build' } },
    ...lanes.names().map(([tid, name]) => ({ name: 'thread_name', ph: 'M', pid: processId, tid, args: { name } })),
    ...lanes.names().map(([tid]) => ({
      name: 'thread_sort_index',
      ph: 'M',
      pid: processId,
      tid,
      args: { sort_index: tid },
    })),
  ]
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [...names, ...events] })}\n`
}

const processId = 1

/** Whether a part lies within or behind those before it on its thread, and not across the end of one. */
function fitsInto(ends: Map<number, number[]>, thread: number, { begin, end }: TraceSpan): boolean {
  const open = (ends.get(thread) ?? []).filter(each => each > begin)
  if (open.some(each => each < end)) return false
  ends.set(thread, [...open, end])
  return true
}

/** By begin; what contains others before them. */
function sorted(spans: readonly TraceSpan[]): TraceSpan[] {
  return spans.toSorted((a, b) => a.begin - b.begin || b.end - a.end)
}

interface Lanes {
  /** The thread for a span: one of its group that is free from its begin on. Spans come by begin. */
  take(group: string, span: TraceSpan): number
  names(): readonly (readonly [thread: number, name: string])[]
}

function openLanes(): Lanes {
  const lanes: { readonly thread: number; readonly group: string; readonly name: string; until: number }[] = []
  return {
    take: (group, { begin, end }) => {
      const own = lanes.filter(lane => lane.group === group)
      let free = own.find(({ until }) => until <= begin)
      if (!free) {
        const name = own.length === 0 ? group : `${group} ${own.length + 1}`
        free = { thread: lanes.length + 1, group, name, until: end }
        lanes.push(free)
      }
      free.until = end
      return free.thread
    },
    names: () => lanes.map(({ thread, name }) => [thread, name] as const),
  }
}
