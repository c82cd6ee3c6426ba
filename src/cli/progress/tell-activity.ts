import type { ProgressSink } from '#diagnostics'

/** What is needed to tell of activities. */
export interface ActivityTeller {
  readonly progress: ProgressSink
  /** Numbers that no other activity of the process has. */
  readonly nextId: () => number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Bytes so far of one transfer, and how many there will be, where that is known. */
export type TransferReport = (label: string, done: number, total?: number) => void

/** A counter for activities; one per process. */
export function idCounter(): () => number {
  let last = 0
  return () => ++last
}

/** Does `work` as an activity that progress shows. */
export async function tellActivity<T>(
  { progress, nextId, now }: ActivityTeller,
  text: string,
  work: (report: TransferReport) => Promise<T>,
): Promise<T> {
  const id = nextId()
  progress({ kind: 'begin', id, text, time: now() })
  const report: TransferReport = (label, done, total) =>
    progress({ kind: 'transfer', id, label, done, ...(total !== undefined && { total }), time: now() })
  try {
    const result = await work(report)
    progress({ kind: 'done', id, cached: false, time: now() })
    return result
  } catch (error) {
    progress({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error), time: now() })
    throw error
  }
}
