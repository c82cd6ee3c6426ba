import { type Place, positionOf } from '#diagnostics'
import type { BuildPlan, RunStep, StagePlan } from './build-plan.ts'
import { shownValue } from './secret-values.ts'

/**
 * A plan as JSON for people and programs, indented by two: places become `file:line`, images their reference and id,
 * values of arguments that look like secrets are masked. Ends with a newline.
 */
export function planToJson(plan: BuildPlan): string {
  return `${JSON.stringify(plan, (key, value: unknown) => shorten(key, value), 2)}\n`
}

function shorten(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (key === 'args') return (value as StagePlan['args']).map(([name, text]) => [name, shownValue(name, text)])
  if (key === 'env' || key === 'unkeyedEnv') return (value as RunStep['env']).map(shownVariable)
  if ('source' in value && 'span' in value) return formatPlace(value as Place)
  if ('reference' in value && 'id' in value) return { reference: value.reference, id: value.id }
  return value
}

function shownVariable(line: string): string {
  const at = line.indexOf('=')
  return at === -1 ? line : `${line.slice(0, at)}=${shownValue(line.slice(0, at), line.slice(at + 1))}`
}

/** `file:line` of a place. */
export function formatPlace({ source, span }: Place): string {
  return `${source.name}:${positionOf(source, span.start).line}`
}
