import { formatElapsed } from '../age.ts'
import type { CriticalStep } from './critical-path.ts'

const mostSteps = 8
const widest = 60

/** The critical path as lines for a person: what took longest stands out by its share. */
export function renderCriticalPath(path: readonly CriticalStep[]): string {
  const total = path.reduce((sum, { duration }) => sum + duration, 0)
  const least = path.map(({ duration }) => duration).sort((a, b) => b - a)[mostSteps - 1] ?? 0
  const shown = path.filter(({ duration }) => duration >= least && duration >= total / 100).slice(0, mostSteps)
  const lines = shown.map(({ name, group, duration }) => {
    const text = `${group === 'build' ? '' : `[${group}] `}${name.replace(/\s+/g, ' ')}`
    const cut = text.length > widest ? `${text.slice(0, widest - 1)}…` : text
    return `  ${formatElapsed(duration).padStart(7)}  ${cut}\n`
  })
  const rest = path.length - shown.length
  const more = rest > 0 ? `  and ${rest} shorter\n` : ''
  return `critical path ${formatElapsed(total)}: shortening anything else makes this build no quicker\n${lines.join('')}${more}`
}
