import { comparePaths, type Entry, type LayerTree, splitPath } from '#tree'

/** A layer of a base. */
export interface CutLayer {
  readonly entries: LayerTree
  /** Names of the packages whose files are in it, sorted; empty for settings. */
  readonly packages: readonly string[]
}

export interface CutOptions {
  /** At most so many layers. */
  readonly layers: number
  /** The package that a path belongs with; undefined for what belongs to the system as a whole. */
  readonly owner: (path: string) => string | undefined
  /** Package → the source it was built from: such packages are updated together. */
  readonly source: ReadonlyMap<string, string>
}

/** Packages of one source, and what their files weigh. */
interface Unit {
  readonly source: string
  readonly packages: readonly string[]
  /** Half powers of two, so that a small change of size moves nothing to another layer. */
  readonly weight: number
}

/**
 * Cuts a system into layers so that an update of one package changes as few bytes as possible: large sources alone, small ones
 * together, what belongs to no package on top. Every layer has all directories above its files, as engines want it.
 */
export function cutLayers(entries: LayerTree, options: CutOptions): readonly CutLayer[] {
  const { layers, owner, source } = options
  const ownerOf = (entry: Entry): string | undefined =>
    owner(entry.type === 'hardlink' ? (entry.link ?? '') : entry.path)
  if (layers === 1) return [{ entries, packages: [...source.keys()].sort() }]
  const groups = groupUnits(unitsOf(entries, { ownerOf, source }), layers - 1)
  const layerOf = new Map(
    groups.flatMap((group, i) => group.flatMap(unit => unit.packages.map(name => [name, i] as const))),
  )
  const parts: Entry[][] = [...groups.map((): Entry[] => []), []]
  for (const entry of entries) {
    const name = ownerOf(entry)
    const layer = (name === undefined ? undefined : layerOf.get(name)) ?? groups.length
    parts[layer]?.push(entry)
  }
  const directories = new Map(entries.filter(entry => entry.type === 'directory').map(entry => [entry.path, entry]))
  return parts.flatMap((part, i) => {
    if (part.length === 0) return []
    const packages = (groups[i] ?? []).flatMap(unit => unit.packages).sort()
    return [{ entries: withParents(part, directories), packages }]
  })
}

function unitsOf(
  entries: LayerTree,
  {
    ownerOf,
    source,
  }: { readonly ownerOf: (entry: Entry) => string | undefined; readonly source: CutOptions['source'] },
): readonly Unit[] {
  const units = new Map<string, { packages: Set<string>; bytes: number }>()
  for (const entry of entries) {
    const name = ownerOf(entry)
    if (name === undefined) continue
    const from = source.get(name) ?? name
    const unit = units.get(from) ?? { packages: new Set(), bytes: 0 }
    unit.packages.add(name)
    // A header takes one block of an archive.
    unit.bytes += 512 + entry.size
    units.set(from, unit)
  }
  return [...units]
    .map(([from, { packages, bytes }]) => ({
      source: from,
      packages: [...packages].sort(),
      weight: 2 ** (Math.round(Math.log2(bytes) * 2) / 2),
    }))
    .sort((a, b) => b.weight - a.weight || (a.source < b.source ? -1 : 1))
}

/**
 * Splits units, largest first, into at most `count` groups of neighbours so that the sum over groups of bytes times number of units
 * is smallest: what an update costs if every source is as likely to change.
 */
function groupUnits(units: readonly Unit[], count: number): readonly (readonly Unit[])[] {
  const n = units.length
  const sums = [0]
  for (const { weight } of units) sums.push((sums.at(-1) as number) + weight)
  const cost = (from: number, to: number): number => ((sums[to] as number) - (sums[from] as number)) * (to - from)
  let best = Array.from({ length: n + 1 }, (_, to) => ({ cost: cost(0, to), starts: [0] }))
  for (let groups = 2; groups <= Math.min(count, n); groups++) {
    const previous = best
    best = previous.map((known, to) => {
      let chosen = known
      for (let from = groups - 1; from < to; from++) {
        const before = previous[from] as (typeof previous)[number]
        const total = before.cost + cost(from, to)
        if (total < chosen.cost) chosen = { cost: total, starts: [...before.starts, from] }
      }
      return chosen
    })
  }
  if (n === 0) return []
  const { starts } = best[n] as (typeof best)[number]
  return starts.map((from, i) => units.slice(from, starts[i + 1] ?? n))
}

function withParents(part: readonly Entry[], directories: ReadonlyMap<string, Entry>): LayerTree {
  const present = new Map(part.filter(entry => entry.type === 'directory').map(entry => [entry.path, entry]))
  const missing: Entry[] = []
  for (const entry of part) {
    for (
      let { parent } = splitPath(entry.path);
      parent !== '' && !present.has(parent);
      { parent } = splitPath(parent)
    ) {
      const directory = directories.get(parent)
      if (directory === undefined) break
      present.set(parent, directory)
      missing.push(directory)
    }
  }
  const files = part.filter(entry => entry.type !== 'hardlink')
  const links = part.filter(entry => entry.type === 'hardlink')
  return [...[...missing, ...files].sort((a, b) => comparePaths(a.path, b.path)), ...links]
}
