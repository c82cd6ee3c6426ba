import { painter } from '../color.ts'
import type { CliContext } from '../context.ts'
import type { ReportView } from './render-analysis.ts'

/** Lines are cut at the window; where there is none, they are as long as they are. */
export function reportView({ stdout, color }: CliContext, top: number): ReportView {
  return {
    width: stdout.isTTY ? stdout.columns : 100_000,
    paint: painter(color.stdout),
    top: top === 0 ? Number.POSITIVE_INFINITY : top,
  }
}
