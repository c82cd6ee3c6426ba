import type { ProgressSink } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { openDestination } from '../streams/open-destination.ts'
import { openTrace } from './open-trace.ts'
import { renderCriticalPath } from './render-critical-path.ts'

/** Follows a build for `--trace`. Disposing writes the file, also of a build that failed. */
export interface TraceFile extends AsyncDisposable {
  /** What goes to `sink` is followed. */
  readonly follow: (sink: ProgressSink) => ProgressSink
}

/** Opens the file first: a build is not done for a trace that cannot be written. Throws a `UserError`. */
export async function openTraceFile(path: string, mode: ProgressMode, context: CliContext): Promise<TraceFile> {
  const destination = await openDestination(path, context)
  const trace = openTrace()
  return {
    follow: sink => event => {
      sink(event)
      trace.sink(event)
    },
    [Symbol.asyncDispose]: async () => {
      await using _ = destination
      // The process that enters a namespace does nothing itself.
      if (trace.isEmpty()) return
      await destination.write(Buffer.from(trace.text()))
      await destination.finish()
      const steps = trace.criticalPath()
      if (mode !== 'quiet' && mode !== 'json' && steps.length > 0) context.stderr.write(renderCriticalPath(steps))
    },
  }
}
