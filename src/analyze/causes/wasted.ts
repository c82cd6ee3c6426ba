import type { Instruction } from '../instructions.ts'
import type { FileCopy } from '../trace-layers.ts'
import { countBelow, type PathGroup, wholePaths } from '../whole-paths.ts'
import type { Cause, Rewrite } from './cause.ts'
import { bindMount, commandOf, joinRuns, leaveOut, nameOf, otherBase, setOwner } from './rewrites.ts'

type Hidden = FileCopy & { readonly end: NonNullable<FileCopy['end']> }

export interface WasteSources {
  readonly copies: readonly FileCopy[]
  readonly instructions: readonly Instruction[]
  /** How many layers are the base's. */
  readonly baseLayers: number
}

/** What later layers hide: one cause for each pair of layers and way of hiding. */
export function wastedCauses(sources: WasteSources): Cause[] {
  const groups = new Map<string, Hidden[]>()
  const touched = new Set<number>()
  for (const copy of sources.copies) {
    if (!copy.end || copy.entry.size === 0) continue
    touched.add(copy.layer)
    const key = `${copy.layer} ${copy.end.layer} ${copy.end.how}`
    const group = groups.get(key)
    if (group) group.push(copy as Hidden)
    else groups.set(key, [copy as Hidden])
  }
  const counts = new Map(
    [...touched].map(layer => [layer, countBelow(sources.copies.filter(copy => copy.layer === layer))]),
  )
  return [...groups.values()].map(group => wastedCause(group, sources, counts))
}

const kinds = { removed: 'deleted-later', replaced: 'replaced-later', reowned: 'reowned-later' } as const

function wastedCause(
  group: readonly Hidden[],
  { instructions, baseLayers }: WasteSources,
  counts: ReadonlyMap<number, ReadonlyMap<string, number>>,
): Cause {
  const { layer, end } = group[0] as Hidden
  const first = instructions[layer] as Instruction
  const second = instructions[end.layer] as Instruction
  const paths = wholePaths(group, counts.get(layer) ?? new Map())
  const inBase = layer < baseLayers
  return {
    kind: kinds[end.how],
    layer,
    instruction: first,
    by: { layer: end.layer, instruction: second },
    inBase,
    saving: group.reduce((sum, { entry }) => sum + entry.size, 0),
    files: group.length,
    paths,
    title: titleOf(end.how, { first, second, inBase }),
    rewrite: inBase ? baseRewrite(end.how, second) : rewriteOf(group, { first, second, paths }),
  }
}

interface Pair {
  readonly first: Instruction
  readonly second: Instruction
}

function titleOf(how: Hidden['end']['how'], { first, second, inBase }: Pair & { inBase: boolean }): string {
  const from = inBase ? 'the base image' : nameOf(first)
  switch (how) {
    case 'removed':
      return `${from} brings files that ${nameOf(second)} deletes: they stay in the image`
    case 'replaced':
      return `${from} brings files that ${nameOf(second)} writes again: both are in the image`
    case 'reowned':
      return `${nameOf(second)} changes only owner, mode or time of files of ${from}: their bytes are in the image twice`
  }
}

function baseRewrite(how: Hidden['end']['how'], second: Instruction): Rewrite {
  switch (how) {
    case 'removed':
      return otherBase('take a base that does not have these files; removing them frees nothing')
    case 'replaced':
      return otherBase('take a newer base that has these files as they are needed')
    case 'reowned':
      return otherBase(`leave the files of the base as they are: drop that part of ${nameOf(second)}`)
  }
}

function rewriteOf(group: readonly Hidden[], pair: Pair & { readonly paths: readonly PathGroup[] }): Rewrite {
  const { first, second, paths } = pair
  const { how } = (group[0] as Hidden).end
  const isCopy = first.keyword === 'COPY' || first.keyword === 'ADD'
  if (how === 'reowned' && isCopy) {
    const changes = group.flatMap(({ entry, end }) => (end.next ? [{ from: entry, to: end.next.entry }] : []))
    return setOwner(first, changes)
  }
  if (commandOf(first) !== undefined && commandOf(second) !== undefined) return joinRuns(first, second)
  if (how === 'removed' && isCopy) return bindMount(first, paths)
  return leaveOut(first, paths)
}
