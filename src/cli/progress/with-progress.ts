import type { ProgressSink } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { Reported } from '../reported.ts'
import { userErrorOf } from '../system-error.ts'
import { openProgress } from './open-progress.ts'

/** Does `work` with its progress shown. The terminal is clean before this returns or throws. */
export async function withProgress<T>(
  mode: ProgressMode,
  context: CliContext,
  work: (sink: ProgressSink) => Promise<T>,
): Promise<T> {
  const progress = openProgress(mode, context)
  try {
    return await work(progress.sink)
  } catch (error) {
    const userError = context.interrupts.signal.aborted ? undefined : userErrorOf(error)
    if (!progress.report || !userError) throw error
    progress.report(userError)
    throw new Reported(userError.exitCode, error)
  } finally {
    progress.close()
  }
}
