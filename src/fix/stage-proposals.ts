import { foldCopyLine, type StageSplit, splitStage, startedPrograms } from '#analyze'
import type { TriggerInstruction } from '#dockerfile'
import type { RunView, StageView } from '#lint'
import { baseAdvice } from './base-advice.ts'
import {
  absolutePath,
  changed,
  directoryAt,
  type FixSubject,
  lineAt,
  type Measured,
  type Proposal,
} from './proposal.ts'

/** What says how to run an image, and makes no layer that something is copied into. */
const metadata: ReadonlySet<TriggerInstruction['kind']> = new Set([
  'arg',
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'shell',
  'stopsignal',
  'user',
  'volume',
  'workdir',
])

/**
 * One stage that builds and then carries compilers and sources along: a last stage with what is started. Which files these are, the
 * file says (`-o PATH`, and CMD or ENTRYPOINT start it), or an image that was built from it; of such an image the libraries that its
 * programs need, and the base on which they are fewest, are known too. The tree is another one then, on purpose.
 */
export function splitStages(subject: FixSubject): readonly Proposal[] {
  const [stage] = subject.stages
  // Without a RUN there is nothing to leave behind but the base.
  if (!stage || subject.stages.length > 1 || stage.runs.length === 0) return []
  const program = startedBy(stage)
  const made = program === undefined ? undefined : stage.runs.find(run => makes(run, stage, program))
  const name = stage.node.from.name?.text ?? 'build'
  const split = subject.measured && measuredSplit(subject.measured, { stage, from: name, made: made !== undefined })
  if (subject.measured && split === undefined) return []
  if (!split && (!made || program === undefined)) return []
  const image = split?.base ?? stage.node.from.image.text
  const copies = split?.copy ?? [`COPY --from=${name} ${program} ${program}`]
  const title =
    split === undefined
      ? `Sources and compiler stay in the image, of which only ${program} is started. Copy it to a stage of its own.`
      : `What is started needs little of this image. Copy that, with the libraries that ${image} lacks, to a stage of its own.`
  return [
    {
      kind: 'multi-stage',
      title,
      line: lineAt(subject.tree.source.text, stage.node.from.span.start),
      dockerfile: twoStages(subject.tree.source.text, { stage, made, name, image, copies }),
      differs: [],
      keepsTree: false,
      ...(split && { estimate: split.bytes }),
      key: 'multi-stage',
    },
  ]
}

/** The program that CMD or ENTRYPOINT names by a whole path. */
function startedBy({ instructions }: StageView): string | undefined {
  const start =
    instructions.findLast(each => each.kind === 'entrypoint') ?? instructions.findLast(each => each.kind === 'cmd')
  if ((start?.kind !== 'cmd' && start?.kind !== 'entrypoint') || start.command.form !== 'exec') return undefined
  const program = start.command.args[0]?.text ?? ''
  return program.startsWith('/') ? program : undefined
}

function makes(run: RunView, stage: StageView, program: string): boolean {
  return run.commands.some(({ args }) =>
    args.some((word, i) => {
      const output = word.text === '-o' || word.text === '--output' ? args[i + 1]?.text : undefined
      return output !== undefined && absolutePath(output, directoryAt(stage, run.position)) === program
    }),
  )
}

/** On the base with which the image gets smallest; undefined where nothing gets smaller, or nothing is known to be started. */
function measuredSplit(
  { study, bases }: Measured,
  { stage, from, made }: { readonly stage: StageView; readonly from: string; readonly made: boolean },
): (StageSplit & { readonly base: string }) | undefined {
  const programs = startedPrograms(study)
  if (programs.length === 0) return undefined
  const users = stage.instructions.some(
    each => each.kind === 'user' && !/^(root|\d+)(:(root|\d+))?$/.test(each.value.text),
  )
  const splits = bases
    .map(({ name, study: base }) => ({
      base: name,
      ...splitStage(study, { programs, from, base, programsOnly: made, users }),
    }))
    .filter(({ problems, bytes }) => problems.length === 0 && bytes < study.analysis.totals.size)
  return splits.toSorted((a, b) => a.bytes - b.bytes)[0]
}

interface Split {
  readonly stage: StageView
  /** What makes the program: all behind it stays as it is, in the last stage. */
  readonly made: RunView | undefined
  readonly name: string
  readonly image: string
  readonly copies: readonly string[]
}

function twoStages(text: string, { stage, made, name, image, copies }: Split): string {
  const { instructions, node } = stage
  const last = made?.position ?? instructions.findLastIndex(({ kind }) => !metadata.has(kind))
  const end = instructions[last]?.span.end ?? node.from.span.end
  const kept = instructions.filter((each, position) => position > last || metadata.has(each.kind))
  const lines = kept.map(({ span }) => text.slice(span.start, span.end))
  const { from } = node
  const named = from.name ? [] : [{ start: from.span.end, end: from.span.end, text: ` AS ${name}` }]
  const tail = ['', `FROM ${image}`, ...copies.map(foldCopyLine), ...lines].join('\n')
  return changed(text, [...named, { start: end, end: text.length, text: `\n${tail}\n` }])
}

/**
 * Smaller bases that have what is started needs, the smallest first; whether the other instructions get along with them, only building
 * tells.
 */
export function otherBases({ tree, stages, measured }: FixSubject): readonly Proposal[] {
  const stage = stages.at(-1)
  if (!measured || !stage || stage.below.length > 0) return []
  const { span, text: present } = stage.node.from.image
  const { text } = tree.source
  return baseAdvice(measured).flatMap(({ name, programs, bytes, different }): readonly Proposal[] => {
    if (name === present) return []
    const whose = programs.map(path => `/${path}`).join(' and ')
    const others = different.length > 0 ? `, ${different.length} files in another version` : ''
    return [
      {
        kind: 'other-base',
        title: `${name} is smaller, and has all that ${whose} needs of ${present}${others}.`,
        line: lineAt(text, span.start),
        dockerfile: changed(text, [{ start: span.start, end: span.end, text: name }]),
        differs: [],
        keepsTree: false,
        estimate: bytes,
        key: otherBaseKey(name),
      },
    ]
  })
}

/** The key of the proposal to take a base. */
export function otherBaseKey(name: string): string {
  return `other-base ${name}`
}
