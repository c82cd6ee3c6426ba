import type { Place } from '#diagnostics'
import { type ArgInstruction, type Comment, expandWord, type MappedText, type StageNode } from '#dockerfile'
import { formatPlatform } from '#oci'
import type { BuildPlan, RunMount } from './build-plan.ts'
import { type GlobalScope, scopeOfOptions } from './global-scope.ts'
import { mountFields } from './mount-fields.ts'
import type { FileOptions } from './plan-options.ts'
import { shownValue } from './secret-values.ts'
import { stageHeaders } from './stage-headers.ts'

/** What a build of the target can be given (`--call outline`). */
export interface Outline {
  /** The target's name; absent without one. */
  readonly name?: string
  readonly description?: string
  /** In order of their lines. */
  readonly args: readonly OutlineArgument[]
  readonly secrets: readonly OutlineInput[]
  readonly ssh: readonly OutlineInput[]
}

export interface OutlineArgument {
  readonly name: string
  /** What it amounts to with the arguments that were given; absent when unset. Secrets are masked. */
  readonly value?: string
  readonly description?: string
  readonly place: Place
}

/** A secret or an SSH agent that a RUN mounts. */
export interface OutlineInput {
  readonly id: string
  /** The build fails without. */
  readonly required: boolean
  readonly place: Place
}

/** A stage that can be built (`--call targets`). */
export interface TargetSummary {
  /** Absent without a name: only the last stage can be built then. */
  readonly name?: string
  readonly description?: string
  readonly isDefault: boolean
  /** What FROM names, expanded. */
  readonly base: string
  /** Of FROM --platform, when given. */
  readonly platform?: string
  readonly place: Place
}

/** All stages of a file, in order. Asks for no images. Throws a `UserError` for FROM lines that cannot be expanded. */
export function listTargets(options: FileOptions): readonly TargetSummary[] {
  const headers = stageHeaders(options.tree, { globals: scopeOfOptions(options), warn: () => {} })
  return headers.map(({ node, base, platform, place }, i) => ({
    ...nameAndDescription(node),
    isDefault: i === headers.length - 1,
    base,
    ...(platform && { platform: formatPlatform(platform) }),
    place,
  }))
}

/** What the stages of a plan take: arguments of these stages, and global ones that they use. */
export function outlineOf(options: FileOptions, plan: BuildPlan): Outline {
  const { tree } = options
  const globals = scopeOfOptions(options)
  const reached = plan.stages.flatMap(stage => {
    const node = tree.stages[stage.position]
    return node ? [{ node, stage }] : []
  })
  const used = usedGlobals(
    options,
    globals,
    reached.map(each => each.node),
  )
  const candidates = [
    ...argumentsOf(options, tree.globalArgs, globals.values).filter(({ argument }) => used.has(argument.name)),
    ...reached.flatMap(({ node, stage }) => {
      const known = new Map(stage.args)
      const own = node.instructions.filter(instruction => instruction.kind === 'arg')
      return argumentsOf(options, own, known).filter(({ argument }) => known.has(argument.name))
    }),
  ]
  const target = tree.stages[plan.stages[plan.target]?.position ?? -1]
  const mounts = plan.stages.flatMap(({ steps }) => steps.flatMap(step => (step.kind === 'run' ? step.mounts : [])))
  return {
    ...(target && nameAndDescription(target)),
    args: merged(candidates),
    secrets: inputsOf(mounts, 'secret'),
    ssh: inputsOf(mounts, 'ssh'),
  }
}

/** An argument where it is declared. */
interface Candidate {
  readonly argument: OutlineArgument
  readonly hasDefault: boolean
}

/** One entry for each name: a stage that only takes an argument over says nothing new about it. */
function merged(candidates: readonly Candidate[]): readonly OutlineArgument[] {
  const found = new Map<string, OutlineArgument>()
  for (const { argument, hasDefault } of candidates) {
    const known = found.get(argument.name)
    found.set(argument.name, hasDefault ? { ...known, ...argument } : { ...argument, ...known })
  }
  return [...found.values()].toSorted((a, b) => a.place.span.start - b.place.span.start)
}

function argumentsOf(
  { tree: { source } }: FileOptions,
  instructions: readonly ArgInstruction[],
  values: ReadonlyMap<string, string>,
): readonly Candidate[] {
  return instructions.flatMap(({ args, comments }) =>
    args.map(({ name: { text: name }, value: given, span }) => {
      // In a plan, an argument that is declared but unset has an empty value.
      const value = values.get(name) || (given && '')
      const description = descriptionOf(comments, name)
      return {
        hasDefault: given !== undefined,
        argument: {
          name,
          ...(value !== undefined && { value: shownValue(name, value) }),
          ...(description !== undefined && { description }),
          place: { source, span },
        },
      }
    }),
  )
}

/** Names of global arguments that reachable stages use in FROM and --from, or take over. */
function usedGlobals({ tree }: FileOptions, { values }: GlobalScope, nodes: readonly StageNode[]): ReadonlySet<string> {
  const used = new Set<string>()
  const collect = (word: MappedText | undefined): void => {
    if (!word?.text.includes('$')) return
    expandWord(
      word,
      name => {
        used.add(name)
        return values.get(name)
      },
      tree,
    )
  }
  for (const { from, instructions } of nodes) {
    collect(from.image)
    collect(from.platform)
    for (const instruction of instructions) {
      if (instruction.kind === 'copy') collect(instruction.from)
      if (instruction.kind === 'arg') for (const { name } of instruction.args) used.add(name.text)
      if (instruction.kind !== 'run') continue
      for (const mount of instruction.mounts) {
        collect(mountFields(mount, tree.source).findLast(({ key }) => key === 'from')?.value)
      }
    }
  }
  // What the default of a used argument is made of is used too.
  for (const { name, value } of tree.globalArgs.flatMap(({ args }) => args).toReversed()) {
    if (used.has(name.text)) collect(value)
  }
  return used
}

function inputsOf(mounts: readonly RunMount[], type: 'secret' | 'ssh'): readonly OutlineInput[] {
  const found = new Map<string, OutlineInput>()
  for (const mount of mounts) {
    if (mount.type !== type) continue
    const known = found.get(mount.id)
    found.set(mount.id, {
      id: mount.id,
      required: mount.required || known?.required === true,
      place: known?.place ?? mount.place,
    })
  }
  return [...found.values()]
}

function nameAndDescription({ name, from }: StageNode): { readonly name?: string; readonly description?: string } {
  if (name === undefined) return {}
  const description = descriptionOf(from.comments, name)
  return { name, ...(description !== undefined && { description }) }
}

/** Section 3.7 of the language page: a comment that starts with the name. */
function descriptionOf(comments: readonly Comment[], name: string): string | undefined {
  const found = comments.find(({ text }) => text.toLowerCase().startsWith(`${name.toLowerCase()} `))
  return found?.text.slice(name.length + 1).trim()
}
