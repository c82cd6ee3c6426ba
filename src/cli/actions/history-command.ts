import { renderWarning } from '#diagnostics'
import type { HistoryFlags } from '../commands/history.ts'
import type { CliContext } from '../context.ts'
import { namedDetails } from '../images/named-details.ts'
import { isStage } from '../images/stage-images.ts'
import { enterNamespace } from '../namespace.ts'
import { historyRows, idText, renderHistory, renderHistoryJson } from './history-rows.ts'
import { secretWarnings } from './history-secrets.ts'

/** `slipway history`; on standard error, a warning for each secret that the image was built with. */
export async function historyCommand(name: string, flags: HistoryFlags, context: CliContext): Promise<number> {
  const inner = await enterNamespace(context, isStage(name))
  if (inner !== undefined) return inner
  const [found] = await namedDetails([name], flags, context)
  if (!found) throw new Error('every name has details')
  const rows = historyRows(found.kind === 'store' ? { id: found.image.id, ...found } : found)
  const { stdout, stderr, now } = context
  const view = {
    truncate: flags.trunc,
    human: flags.human,
    now: now(),
    ...(stdout.isTTY && { width: stdout.columns }),
  }
  if (flags.quiet) stdout.write(rows.map(row => `${idText(row.id, flags.trunc)}\n`).join(''))
  else stdout.write(flags.format === 'json' ? renderHistoryJson(rows, view) : renderHistory(rows, view))
  for (const warning of secretWarnings(rows, name))
    stderr.write(renderWarning(warning, { color: context.color.stderr }))
  return 0
}
