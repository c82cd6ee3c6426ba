import { findImage } from '#build'
import { renderWarning } from '#diagnostics'
import type { HistoryFlags } from '../commands/history.ts'
import type { CliContext } from '../context.ts'
import { placeDetails, placeElsewhere } from '../images/place-details.ts'
import { withStore } from '../store-root.ts'
import { historyRows, idText, renderHistory, renderHistoryJson } from './history-rows.ts'
import { secretWarnings } from './history-secrets.ts'
import { imageDetails } from './image-details.ts'

/** `slipway history`; on standard error, a warning for each secret that the image was built with. */
export async function historyCommand(name: string, flags: HistoryFlags, context: CliContext): Promise<number> {
  const sized = await withStore(context, async store => {
    const place = placeElsewhere(name)
    if (place) return placeDetails(place, { store, flags, context })
    const details = await imageDetails(store, findImage(store, name))
    return { id: details.image.id, ...details }
  })
  const rows = historyRows(sized)
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
