import type { ArgInstruction, FromInstruction } from '#dockerfile'
import { isSettingComment } from './check-settings.ts'
import type { Finding, Subject } from './finding.ts'

/**
 * InvalidDefinitionDescription (experimental): the comment directly above an ARG, or above a FROM that names a stage,
 * does not start with the name. An empty line or an empty comment between them says that it is no description.
 */
export function checkDescriptions({ tree }: Subject): readonly Finding[] {
  const definitions = [
    ...tree.globalArgs,
    ...tree.stages.flatMap(({ from, instructions }) => [from, ...instructions.filter(({ kind }) => kind === 'arg')]),
  ]
  return definitions.flatMap(instruction => {
    if (instruction.kind !== 'arg' && instruction.kind !== 'from') return []
    return checkComment(tree.source.text, instruction)
  })
}

function checkComment(text: string, instruction: ArgInstruction | FromInstruction): readonly Finding[] {
  const names = namesOf(instruction)
  const comment = instruction.comments.at(-1)
  if (!comment || names.length === 0 || isSettingComment(comment)) return []
  if (names.includes(comment.text.split(/\s/, 1)[0] ?? '')) return []
  const lineEnds = text.slice(comment.span.end, instruction.span.start).split('\n').length - 1
  if (lineEnds !== 1) return []
  return [
    {
      code: 'InvalidDefinitionDescription',
      message: 'a comment above a stage or an argument that does not describe it',
      hint: `write # ${names[0] ?? ''} and a description, or put an empty line below the comment`,
      span: comment.span,
      owner: instruction.span.start,
    },
  ]
}

function namesOf(instruction: ArgInstruction | FromInstruction): readonly string[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ name }) => name.text)
  return instruction.name ? [instruction.name.text] : []
}
