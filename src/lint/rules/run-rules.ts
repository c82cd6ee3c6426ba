import type { DockerfileTree, StageNode, TriggerInstruction } from '#dockerfile'
import { commandsOf } from '../shell/commands-of.ts'
import { aptRules } from './apt-rules.ts'
import { baseRules } from './base-rules.ts'
import { commandRules } from './command-rules.ts'
import { copyRules } from './copy-rules.ts'
import { duplicateRules } from './duplicate-rules.ts'
import { developmentRules } from './development-rules.ts'
import { packageRules } from './package-rules.ts'
import { platformRules } from './platform-rules.ts'
import type { RuleFinding, RuleSettings, RunView, StageView } from './rule-finding.ts'
import { settingRules } from './setting-rules.ts'

/** Everything that the rules have to say about a file, in no order. */
export function runRules(tree: DockerfileTree, settings: RuleSettings): readonly RuleFinding[] {
  const subject = { tree, settings, stages: stageViews(tree) }
  return [
    baseRules,
    aptRules,
    packageRules,
    developmentRules,
    duplicateRules,
    copyRules,
    commandRules,
    settingRules,
    platformRules,
  ].flatMap(rules => rules(subject))
}

/** The stages with their shell texts taken apart. */
export function stageViews({ stages }: DockerfileTree): readonly StageView[] {
  const views: StageView[] = []
  for (const node of stages) views.push(viewOf(node, views))
  return views
}

function viewOf(node: StageNode, before: readonly StageView[]): StageView {
  const instructions = node.instructions.map(
    (each): TriggerInstruction => (each.kind === 'onbuild' ? each.trigger : each),
  )
  const runs = instructions.flatMap((instruction, position): readonly RunView[] =>
    instruction.kind === 'run' ? [{ instruction, position, commands: commandsOf(instruction) }] : [],
  )
  const base = before.findLast(
    ({ node: other }) => other.name !== undefined && other.name === node.from.image.text.toLowerCase(),
  )
  return { node, instructions, runs, below: base ? [base, ...base.below] : [] }
}
