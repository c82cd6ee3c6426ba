import type { ProgressSink } from '#diagnostics'
import type { BuildPlan, StagePlan } from '#plan'
import type { ActivityEvent } from './step-kind.ts'

export interface Activity {
  readonly report: (event: ActivityEvent) => void
  done(cached: boolean): void
  failed(message: string): void
}

interface About {
  readonly stage: StagePlan
  readonly plan: BuildPlan
  /** 0 for FROM, then the steps from 1. */
  readonly index: number
  readonly text: string
}

/** Tells the steps of a build to a progress sink. */
export interface Activities {
  begin(about: About): Activity
  /** Something that takes no time. */
  once(about: About): void
}

export interface ActivityOptions {
  readonly progress: ProgressSink
  readonly now: () => number
  /** Stands before the names of stages: which build of several this is. */
  readonly title?: string
  /** Numbers that no other activity of the process has. */
  readonly nextId: () => number
}

/** How progress calls a stage; undefined for the only one of the only build. */
export function stageLabel(plan: BuildPlan, { name }: StagePlan, title: string | undefined): string | undefined {
  const words = [title, plan.stages.length > 1 ? name : undefined].filter(word => word !== undefined)
  return words.length === 0 ? undefined : words.join(' ')
}

export function startActivities({ progress, now, nextId, title }: ActivityOptions): Activities {
  const begin = ({ stage, plan, index, text }: About): Activity => {
    const id = nextId()
    const label = stageLabel(plan, stage, title)
    progress({
      kind: 'begin',
      id,
      text,
      ...(label !== undefined && { stage: label }),
      position: { index: index + 1, count: stage.steps.length + 1 },
      time: now(),
    })
    return {
      report: event => progress({ ...event, id, time: now() } as Parameters<ProgressSink>[0]),
      done: cached => progress({ kind: 'done', id, cached, time: now() }),
      failed: message => progress({ kind: 'failed', id, message, time: now() }),
    }
  }
  return {
    begin,
    once: about => begin(about).done(true),
  }
}
