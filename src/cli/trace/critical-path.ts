import type { TraceSpan } from './open-trace.ts'

/** An activity's share in how long the build took. */
export interface CriticalStep {
  readonly name: string
  readonly group: string
  /** Milliseconds, without what it waited for. */
  readonly duration: number
}

/**
 * Walks from the last end back to the begin: from an activity to the stage that it waited for, else to what ended last
 * before it began. Gives the steps in the order in which they ran; what took no time is left out.
 */
export function criticalPath(spans: readonly TraceSpan[]): readonly CriticalStep[] {
  const activities = spans.filter(({ kind }) => kind === 'activity')
  const path: CriticalStep[] = []
  const seen = new Set<TraceSpan>()
  let at = latest(activities)
  let until = at?.end ?? 0
  while (at && !seen.has(at)) {
    seen.add(at)
    const activity = at
    const wait = latest(
      spans.filter(span => span.activity === activity.activity && span.waitsFor !== undefined && span.end <= until),
    )
    const from = wait?.end ?? activity.begin
    if (until > from) path.push({ name: activity.name, group: activity.group, duration: until - from })
    const before = activities.filter(span => !seen.has(span) && span.end <= (wait ? wait.end : activity.begin))
    const own = before.filter(({ group }) => group === (wait?.waitsFor ?? activity.group))
    at = latest(own) ?? latest(before)
    until = at?.end ?? 0
  }
  return path.toReversed()
}

function latest(spans: readonly TraceSpan[]): TraceSpan | undefined {
  let found: TraceSpan | undefined
  for (const span of spans) if (!found || span.end >= found.end) found = span
  return found
}
