import type { Place, Span } from '#diagnostics'
import { parseDockerfile, type StageInstruction } from '#dockerfile'
import type { ImageConfig } from '#oci'
import type { BuildPlan, StagePlan } from '#plan'
import type { SecretFinding } from '#scan'
import { hideSecrets, starred } from '../scan/hide-secrets.ts'

/** The target stage with those that it is built from, the lowest first. */
export function lineageOf(plan: BuildPlan, stage = plan.stages[plan.target] as StagePlan): readonly StagePlan[] {
  const below = stage.base.kind === 'stage' ? lineageOf(plan, plan.stages[stage.base.stage]) : []
  return [...below, stage]
}

/**
 * Finds the instruction that put a secret into the configuration; nothing for one of the base image or of the command line.
 * The text of the place has stars for values, so that it can be shown.
 */
export function secretPlaces(
  plan: BuildPlan,
  { history }: ImageConfig,
): (finding: Pick<SecretFinding, 'place'>) => Place | undefined {
  const stages = lineageOf(plan)
  const source = (stages.at(-1) as StagePlan).place.source
  const positions = new Set(stages.map(({ position }) => position))
  const instructions = parseDockerfile(source)
    .stages.filter(({ position }) => positions.has(position))
    .flatMap(stage => stage.instructions)
    .toReversed()
  const own = stages.flatMap(stage => stage.history.map(({ createdBy, step }) => ({ createdBy, step, stage })))
  const hidden = hideSecrets(source)
  const shown = (instruction: StageInstruction | undefined, name = ''): Place | undefined =>
    instruction && {
      source: { name: source.name, text: hideIn(hidden, { instruction, kept: source.text }) },
      span: pairsOf(instruction).find(pair => pair.name.text === name)?.span ?? instruction.span,
    }
  const withName = (kind: string, name: string): StageInstruction | undefined =>
    instructions.find(each => each.kind === kind && namesOf(each).includes(name))
  const inHistory = (index: number): StageInstruction | undefined => {
    const entry = own[index - (history.length - own.length)]
    if (!entry) return undefined
    const step = entry.step === undefined ? undefined : entry.stage.steps[entry.step]
    if (step) return instructions.find(({ span }) => span.start === step.place.span.start)
    const [, keyword = '', name = ''] = /^(\w+)\s+([^\s=]*)/.exec(entry.createdBy) ?? []
    const kind = keyword.toLowerCase()
    return withName(kind, name) ?? instructions.find(each => each.kind === kind)
  }
  return ({ place }) => {
    switch (place.kind) {
      case 'env':
      case 'label':
        return shown(withName(place.kind, place.name), place.name)
      case 'history':
        return shown(inHistory(place.entry))
      case 'config':
        return shown(instructions.find(each => each.kind === place.field.toLowerCase()))
      case 'file':
        return undefined
    }
  }
}

function namesOf(instruction: StageInstruction): readonly string[] {
  return pairsOf(instruction).map(({ name }) => name.text)
}

function pairsOf(
  instruction: StageInstruction,
): readonly { readonly name: { readonly text: string }; readonly span: Span }[] {
  if (instruction.kind === 'env' || instruction.kind === 'label') return instruction.pairs
  return instruction.kind === 'arg' ? instruction.args : []
}

/** Values of the instruction hidden, where nothing in it looks like the secret itself: it may be put together. */
function hideIn(text: string, { instruction, kept }: { instruction: StageInstruction; kept: string }): string {
  let masked = text
  const { start: from, end: to } = instruction.span
  if (text.slice(from, to) !== kept.slice(from, to)) return text
  for (const { start, end } of valuesOf(instruction)) masked = starred(masked, start, end)
  return masked
}

function valuesOf(instruction: StageInstruction): readonly Span[] {
  if (instruction.kind === 'env' || instruction.kind === 'label')
    return instruction.pairs.map(({ value }) => value.span)
  if (instruction.kind === 'arg') return instruction.args.flatMap(({ value }) => (value ? [value.span] : []))
  return [{ start: instruction.keyword.span.end, end: instruction.span.end }]
}
