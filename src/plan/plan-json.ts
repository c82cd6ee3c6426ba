import { type Place, positionOf } from '#diagnostics'
import type { BuildPlan } from './build-plan.ts'

/**
 * A plan as JSON for people and programs, indented by two: places become `file:line`, images their reference and id.
 * Ends with a newline.
 */
export function planToJson(plan: BuildPlan): string {
  return `${JSON.stringify(plan, (_key, value: unknown) => shorten(value), 2)}\n`
}

function shorten(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('source' in value && 'span' in value) return formatPlace(value as Place)
  if ('reference' in value && 'id' in value) return { reference: value.reference, id: value.id }
  return value
}

/** `file:line` of a place. */
export function formatPlace({ source, span }: Place): string {
  return `${source.name}:${positionOf(source, span.start).line}`
}
