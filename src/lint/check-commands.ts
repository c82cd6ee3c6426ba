import { UserError } from '#diagnostics'
import {
  type CommandInstruction,
  expandWord,
  type StageInstruction,
  type StageNode,
  type TextInstruction,
} from '#dockerfile'
import type { Finding, Subject } from './finding.ts'

/** The checks that need to know what came before in the stage and in those it is built from. */
export function checkCommands(subject: Subject): readonly Finding[] {
  const byName = new Map<string, Inherited>()
  const reached = new Set(subject.stages)
  return subject.tree.stages.flatMap(stage => {
    const before = byName.get(stage.from.image.text) ?? { shell: false, workdir: false }
    const shell = before.shell || subject.options.shellInBase?.has(stage.position) === true
    const { findings, after } = checkStage(subject, stage, { ...before, shell })
    if (stage.name !== undefined) byName.set(stage.name, after)
    return reached.has(stage) ? findings : []
  })
}

/** What a stage starts with. */
interface Inherited {
  /** SHELL was given. */
  readonly shell: boolean
  /** WORKDIR was given. */
  readonly workdir: boolean
}

function checkStage(
  subject: Subject,
  { instructions }: StageNode,
  before: Inherited,
): { readonly findings: readonly Finding[]; readonly after: Inherited } {
  const findings: Finding[] = [...checkRepeated(instructions)]
  let { shell, workdir } = before
  for (const instruction of instructions) {
    if (instruction.kind === 'shell') shell = true
    if ((instruction.kind === 'cmd' || instruction.kind === 'entrypoint') && !shell) {
      findings.push(...checkShellForm(instruction))
    }
    if (instruction.kind !== 'workdir') continue
    if (!workdir) findings.push(...checkWorkdir(subject, instruction))
    workdir = true
  }
  return { findings, after: { shell, workdir } }
}

function checkShellForm({ kind, command, keyword }: CommandInstruction): readonly Finding[] {
  if (command.form === 'exec') return []
  const name = kind.toUpperCase()
  const almost = command.text.text.trimStart().startsWith('[')
  return [
    {
      code: 'JSONArgsRecommended',
      message: almost
        ? `${name} is no valid JSON, so it is given to a shell as it is`
        : `${name} is run by a shell, which does not pass signals on`,
      hint: almost
        ? `write ${name} ["program", "argument"]: double quotes, commas, nothing behind the bracket`
        : `write ${name} ["program", "argument"]; where a shell is wanted, say so with SHELL`,
      span: command.text.text === '' ? keyword.span : command.span,
    },
  ]
}

function checkRepeated(instructions: readonly StageInstruction[]): readonly Finding[] {
  return (['cmd', 'entrypoint', 'healthcheck'] as const).flatMap(kind =>
    instructions
      .filter(instruction => instruction.kind === kind)
      .slice(0, -1)
      .map(({ keyword }) => ({
        code: 'MultipleInstructionsDisallowed' as const,
        message: `this ${kind.toUpperCase()} does nothing: a later one of the stage replaces it`,
        hint: 'keep only the last one',
        span: keyword.span,
      })),
  )
}

function checkWorkdir({ tree }: Subject, { value }: TextInstruction): readonly Finding[] {
  let path: string
  try {
    // A variable may hold an absolute path.
    path = expandWord(value, () => '/', tree).value
  } catch (error) {
    if (error instanceof UserError) return []
    throw error
  }
  if (path === '' || /^([/\\]|[A-Za-z]:)/.test(path)) return []
  return [
    {
      code: 'WorkdirRelativePath',
      message: `the first WORKDIR is relative: where ${value.text} lies depends on the base image`,
      hint: `write an absolute path, such as /${path}`,
      span: value.span,
    },
  ]
}
