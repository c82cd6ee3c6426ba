import type { ProgressSink, UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { usageError } from '../usage-error.ts'
import { jsonError, openJson } from './json.ts'
import { openPlain } from './plain.ts'
import { openTty } from './tty.ts'

/** Shows progress on stderr until closed. */
export interface Progress {
  readonly sink: ProgressSink
  /** Leaves the terminal clean; what follows on stderr stands at the start of a line. */
  readonly close: () => void
  /** Says the error in the form of this mode; absent where it is for the top to render. */
  readonly report?: (error: UserError) => void
}

/** The renderer for a mode; `auto` is `tty` on a terminal, else `plain`. Throws a `UserError` where it cannot work. */
export function openProgress(mode: ProgressMode, context: CliContext): Progress {
  const { stderr, environment, now } = context
  const options = { color: context.color.stderr }
  switch (mode) {
    case 'auto':
      return openProgress(stderr.isTTY && environment['TERM'] !== 'dumb' ? 'tty' : 'plain', context)
    case 'tty': {
      if (!stderr.isTTY) {
        throw usageError(
          '--progress tty needs a terminal, and stderr is not one',
          'leave it out, or use --progress plain',
        )
      }
      const tty = openTty(stderr, options, now)
      return { sink: tty.take, close: tty.close }
    }
    case 'plain': {
      const textOf = openPlain(options)
      return { sink: event => write(stderr, textOf(event)), close: () => {} }
    }
    case 'json': {
      const textOf = openJson()
      return {
        sink: event => write(stderr, textOf(event)),
        close: () => {},
        report: error => write(stderr, jsonError(error, now())),
      }
    }
    case 'quiet':
      return { sink: () => {}, close: () => {} }
  }
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (text !== '') stream.write(text)
}
