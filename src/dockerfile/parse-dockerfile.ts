import type { Source } from '#diagnostics'
import { readDirectives } from './directives.ts'
import { readLogicalLines } from './logical-lines.ts'
import { parseInstruction } from './parse-instruction.ts'
import { physicalLines } from './physical-lines.ts'
import { syntaxError } from './syntax-error.ts'
import type {
  ArgInstruction,
  DockerfileTree,
  Instruction,
  StageInstruction,
  StageNode,
  TriggerInstruction,
} from './syntax-tree.ts'

/**
 * Dockerfile text → syntax tree, for the whole language (BuildKit's frontend, see docs/language.md). Spans are UTF-16
 * offsets in the text as given, byte order mark and carriage returns included. Throws a `UserError` at the exact words.
 */
export function parseDockerfile(source: Source): DockerfileTree {
  const { lines, ...tree } = read(source)
  const instructions = lines.map(line => parseInstruction(source, line, { escape: tree.escape }))
  return { source, ...tree, ...intoStages(source, instructions) }
}

/** The one instruction of an ONBUILD trigger as it is stored in an image. Throws a `UserError`. */
export function parseTrigger(source: Source): TriggerInstruction {
  const { lines, escape } = read(source)
  const [instruction, ...others] = lines.map(line => parseInstruction(source, line, { escape }))
  if (!instruction || others.length > 0 || instruction.kind === 'from' || instruction.kind === 'onbuild') {
    throw syntaxError(
      source,
      { start: 0, end: source.text.length },
      {
        message: 'an ONBUILD trigger must be a single instruction other than FROM and ONBUILD',
        hint: 'the base image is damaged; use another one',
      },
    )
  }
  return instruction
}

function read(source: Source) {
  const physical = physicalLines(source)
  const { directives, escape, lineCount } = readDirectives(source, physical)
  const { lines, comments } = readLogicalLines(source, physical, { first: lineCount, escape })
  if (lines.length === 0) {
    throw syntaxError(
      source,
      { start: 0, end: 0 },
      {
        message: /^\u{feff}?$/u.test(source.text) ? 'the Dockerfile is empty' : 'the file has no instructions',
        hint: 'a Dockerfile starts with FROM image, or FROM scratch',
      },
    )
  }
  return { directives, escape, lines, comments }
}

function intoStages(
  source: Source,
  instructions: readonly Instruction[],
): Pick<DockerfileTree, 'globalArgs' | 'stages'> {
  const globalArgs: ArgInstruction[] = []
  const stages: (Omit<StageNode, 'instructions'> & { instructions: StageInstruction[] })[] = []
  for (const instruction of instructions) {
    const stage = stages.at(-1)
    if (instruction.kind === 'from') {
      const name = instruction.name?.text.toLowerCase()
      stages.push({ position: stages.length, from: instruction, instructions: [], ...(name !== undefined && { name }) })
    } else if (stage) stage.instructions.push(instruction)
    else if (instruction.kind === 'arg') globalArgs.push(instruction)
    else {
      throw syntaxError(source, instruction.keyword.span, {
        message: `no build stage yet: ${instruction.keyword.text.toUpperCase()} stands before the first FROM`,
        hint: 'only ARG may stand before FROM; start with FROM image',
      })
    }
  }
  if (stages.length === 0) {
    throw syntaxError(source, instructions[0]?.span ?? { start: 0, end: 0 }, {
      message: 'there is no stage to build',
      hint: 'add FROM image below the ARG instructions',
    })
  }
  return { globalArgs, stages }
}
