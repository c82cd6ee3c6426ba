import type { TriggerInstruction } from '#dockerfile'
import { absolutePath, directoryAt, type FixSubject, lineAt, type Proposal } from './proposal.ts'

const metadata: ReadonlySet<TriggerInstruction['kind']> = new Set([
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'stopsignal',
  'user',
  'volume',
])

/**
 * One stage that builds a program and then carries compiler and sources along: a second stage with the program alone, where the
 * file says which one it is (`-o PATH`, and CMD or ENTRYPOINT start it). The tree is another one then, on purpose.
 */
export function splitStages({ tree, stages }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  const [stage] = stages
  if (!stage || stages.length > 1) return []
  const start =
    stage.instructions.findLast(each => each.kind === 'entrypoint') ??
    stage.instructions.findLast(each => each.kind === 'cmd')
  if ((start?.kind !== 'cmd' && start?.kind !== 'entrypoint') || start.command.form !== 'exec') return []
  const program = start.command.args[0]?.text ?? ''
  const made = stage.runs.find(run =>
    run.commands.some(({ args }) =>
      args.some((word, i) => {
        const output = word.text === '-o' || word.text === '--output' ? args[i + 1]?.text : undefined
        return output !== undefined && absolutePath(output, directoryAt(stage, run.position)) === program
      }),
    ),
  )
  if (!made || !program.startsWith('/')) return []
  const kept = stage.instructions.filter((each, position) => metadata.has(each.kind) && position > made.position)
  const lines = kept.map(({ span }) => text.slice(span.start, span.end))
  const image = stage.node.from.image.text
  const from = text.slice(stage.node.from.span.start, stage.node.from.span.end)
  const name = stage.node.from.name?.text ?? 'build'
  const upTo = made.instruction.span.end
  const head = text.slice(0, upTo)
  const dockerfile = `${stage.node.from.name ? head : head.replace(from, `${from} AS ${name}`)}\n\nFROM ${image}\nCOPY --from=${name} ${program} ${program}\n${lines.join('\n')}\n`
  return [
    {
      kind: 'multi-stage',
      title: `Sources and compiler stay in the image, of which only ${program} is started. Copy it to a stage of its own.`,
      line: lineAt(text, stage.node.from.span.start),
      dockerfile,
      differs: [],
      keepsTree: false,
      key: 'multi-stage',
    },
  ]
}
