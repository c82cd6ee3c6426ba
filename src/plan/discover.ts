import { type Place, type Source, UserError } from '#diagnostics'
import {
  type CopyInstruction,
  type DockerfileTree,
  type MappedText,
  type OnbuildInstruction,
  parseTrigger,
  placeOf,
  spanOf,
  type TriggerInstruction,
  type Word,
} from '#dockerfile'
import type { Platform } from '#oci'
import type { ResolvedImage } from './build-plan.ts'
import type { GlobalScope } from './global-scope.ts'
import type { ImageSource } from './image-source.ts'
import { mountFields } from './mount-fields.ts'
import { stringList } from './config-draft.ts'
import { resolveFrom } from './resolve-from.ts'
import { expandIn, type WordContext } from './scope.ts'
import type { StageHeader } from './stage-headers.ts'

/** Where files come from, by position in the file. */
export type Target =
  | { readonly kind: 'empty' }
  | { readonly kind: 'stage'; readonly position: number }
  | { readonly kind: 'image'; readonly image: ResolvedImage }
  | { readonly kind: 'named-context'; readonly name: string }

/** An instruction to be carried out in a stage: its own, or a trigger of its base. */
export interface PlacedInstruction extends WordContext {
  readonly instruction: TriggerInstruction | OnbuildInstruction
  /** Where steps say they come from, when not from the instruction itself. */
  readonly place?: Place
}

/** A reachable stage with everything that had to be asked for. */
export interface Discovered {
  readonly header: StageHeader
  readonly platform: Platform
  readonly base: Target
  readonly instructions: readonly PlacedInstruction[]
  /** What stages built from this one run first. */
  readonly onbuild: readonly PlacedInstruction[]
  /** What the words of `--from` and the values of `--mount` refer to. */
  readonly targets: ReadonlyMap<Word, Target>
}

export interface DiscoverOptions {
  readonly tree: DockerfileTree
  readonly headers: readonly StageHeader[]
  readonly globals: GlobalScope
  readonly images: ImageSource
  readonly platform: Platform
}

/**
 * Finds the stages that some stages need: their bases, what COPY --from and --mount from name, and what the ONBUILD triggers
 * of their bases name. Returned in file order.
 */
export async function discover(options: DiscoverOptions, wanted: readonly number[]): Promise<readonly Discovered[]> {
  const found = new Map<number, Promise<Discovered>>()
  const visit = (position: number): Promise<Discovered> => {
    const known = found.get(position)
    if (known) return known
    const promise = discoverStage(options, position, visit)
    found.set(position, promise)
    return promise
  }
  await Promise.all(wanted.map(visit))
  const stages = await Promise.all(found.values())
  return stages.toSorted((a, b) => a.header.node.position - b.header.node.position)
}

async function discoverStage(
  options: DiscoverOptions,
  position: number,
  visit: (position: number) => Promise<Discovered>,
): Promise<Discovered> {
  // A chain of thousands of stages must not become as deep a call stack.
  await Promise.resolve()
  const header = options.headers[position]
  if (!header) throw new Error(`no stage ${position}`)
  const { base, platform, inherited } = await baseOf(options, header, visit)
  const instructions = inherited ? [...inherited, ...ownInstructions(options.tree, header)] : []
  const onbuild = inherited ? ownTriggers(options.tree, header) : []
  const targets = new Map<Word, Target>()
  const queries = instructions.flatMap(placed =>
    references(placed, options.globals).map(reference => ({ placed, reference })),
  )
  await Promise.all(
    queries.map(async ({ placed, reference }) => {
      const at = placed.place ?? reference.place
      const resolved = await resolveFrom(options, { ...reference, place: at, stage: position, platform })
      targets.set(reference.word, resolved)
      if (resolved.kind === 'stage') await visit(resolved.position)
    }),
  )
  return { header, platform, base, instructions, onbuild, targets }
}

/** What a stage starts from and runs first; without `inherited` a named context stands for the whole stage. */
async function baseOf(
  { headers, images, platform: wanted }: DiscoverOptions,
  header: StageHeader,
  visit: (position: number) => Promise<Discovered>,
): Promise<{ readonly base: Target; readonly platform: Platform; readonly inherited?: readonly PlacedInstruction[] }> {
  const platform = header.platform ?? wanted
  const earlier = headers.slice(0, header.node.position)
  const stageNames = earlier.flatMap(({ node }) => node.name ?? [])
  const query = { text: header.base, platform, place: header.basePlace, stageNames }
  const { name } = header.node
  const own = name === undefined ? undefined : images.contextFor(name, platform)
  if (own) return { base: await contextTarget(images, own, query), platform }
  const parent = earlier.findLast(({ node }) => node.name === header.base)
  if (parent) {
    const stage = await visit(parent.node.position)
    const base = { kind: 'stage', position: parent.node.position } as const
    return { base, platform: stage.platform, inherited: stage.onbuild }
  }
  if (header.base === 'scratch') return { base: { kind: 'empty' }, platform, inherited: [] }
  const context = images.contextFor(header.base, platform)
  const base: Target = context
    ? await contextTarget(images, context, query)
    : { kind: 'image', image: await images.image(query) }
  return { base, platform, inherited: base.kind === 'image' ? imageTriggers(base.image, header) : [] }
}

async function contextTarget(
  images: ImageSource,
  { name, kind }: { readonly name: string; readonly kind: 'files' | 'image' },
  query: Parameters<ImageSource['contextImage']>[1],
): Promise<Target> {
  return kind === 'files'
    ? { kind: 'named-context', name }
    : { kind: 'image', image: await images.contextImage(name, query) }
}

function ownInstructions({ source, escape }: DockerfileTree, { node }: StageHeader): readonly PlacedInstruction[] {
  return node.instructions.map(instruction => ({ instruction, source, escape }))
}

/** The triggers of a stage run in its children as they stand in the file. */
function ownTriggers({ source, escape }: DockerfileTree, { node }: StageHeader): readonly PlacedInstruction[] {
  return node.instructions.flatMap(instruction =>
    instruction.kind === 'onbuild' ? [{ instruction: instruction.trigger, source, escape }] : [],
  )
}

/** The triggers that an image stores. */
function imageTriggers(image: ResolvedImage, header: StageHeader): readonly PlacedInstruction[] {
  return stringList(image.config.config.OnBuild).map(text => {
    const source: Source = { name: `ONBUILD of ${header.base}`, text }
    return { instruction: parseTrigger(source), source, escape: '\\' as const, place: header.place }
  })
}

interface Reference {
  /** The node that the reference stands in. */
  readonly word: Word
  readonly text: string
  readonly place: Place
  readonly kind: 'copy' | 'mount'
}

function references(placed: PlacedInstruction, globals: GlobalScope): readonly Reference[] {
  const { instruction, source } = placed
  if (instruction.kind === 'copy') return copyReference(placed, instruction, globals)
  if (instruction.kind !== 'run') return []
  return instruction.mounts.flatMap(word => {
    const fields = mountFields(word, source)
    const type = fields.findLast(({ key }) => key === 'type')?.value?.text.toLowerCase() ?? 'bind'
    const from = fields.findLast(({ key }) => key === 'from')?.value
    // Only binds and caches take one; the others say so when they are planned.
    if (!from || from.text === '' || ['tmpfs', 'secret', 'ssh'].includes(type)) return []
    return [{ word, text: expandFrom(from, placed, globals), place: placeOf(source, from), kind: 'mount' as const }]
  })
}

function copyReference(
  placed: PlacedInstruction,
  { from }: CopyInstruction,
  globals: GlobalScope,
): readonly Reference[] {
  if (!from) return []
  return [{ word: from, text: expandFrom(from, placed, globals), place: placeOf(placed.source, from), kind: 'copy' }]
}

/** `--from` may use global ARGs: what it names must be known before any stage runs. */
function expandFrom(from: MappedText, { source, escape }: PlacedInstruction, globals: GlobalScope): string {
  if (!from.text.includes('$')) return from.text
  const expansion = expandIn(globals.values, from, { source, escape })
  const missing = expansion.undefinedNames[0]
  if (missing || expansion.value === '') {
    throw new UserError(
      missing
        ? `--from uses $${missing.name}, which is not a global ARG with a value`
        : `--from=${from.text} is empty after expansion`,
      {
        hint: 'declare it with ARG NAME=default before the first FROM; ARG and ENV of the stage are not seen here',
        at: { source, span: missing?.span ?? spanOf(from) },
      },
    )
  }
  return expansion.value
}
