import type { HostCheck } from '#linux'
import type { Paint } from '../color.ts'
import { fitText, oneLine, textWidth } from '../text-width.ts'

const styles = { ok: 'green', limited: 'yellow', missing: 'red' } as const
const stateWidth = 9

/** Checks for a person: state, title and detail in columns, the hint below. `width` is the window's, on a terminal. */
export function renderChecks(
  checks: readonly HostCheck[],
  paint: Paint,
  width: number = Number.POSITIVE_INFINITY,
): string {
  const titleWidth = Math.max(...checks.map(check => textWidth(check.title)))
  return checks
    .map(({ title, state, detail, hint }) => {
      const head = paint(styles[state], state.padEnd(stateWidth))
      const room = Math.max(20, width - stateWidth - titleWidth - 2)
      const gap = ' '.repeat(titleWidth - textWidth(title) + 2)
      const line = `${head}${title}${gap}${fitText(oneLine(detail), room)}\n`
      return hint === undefined ? line : `${line}${' '.repeat(stateWidth)}${paint('cyan', 'hint:')} ${oneLine(hint)}\n`
    })
    .join('')
}
