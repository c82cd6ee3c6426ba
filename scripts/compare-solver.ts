// `npm run compare-solver`: for each of 200 packages, whether our solver finds the same packages and versions as apt; usage below.
// Fails when one solution is another one. Needs apt with indexes of Debian and the package python3-apt.
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { aptGetSolutions, aptIndexes, aptSolutions, hasAptLibrary, type Packages } from '../test/apt/apt-solutions.ts'
import { ownSolutions, universeOf } from '../test/apt/own-solutions.ts'
import { combinations, listedPackages } from '../test/apt/package-lists.ts'

const usage = `usage: npm run compare-solver -- [options] [PACKAGE[,PACKAGE…]…]

Compares what slipway and apt would install for each list of packages (default: the 200 of test/apt/packages.txt, each on its own),
in an empty root and on top of what every system has, without recommended packages.

  --combinations N  compare N random lists of two to six packages, too (default: 30; none where packages are named)
  --seed N          what they are drawn by (default: the time)
  --apt-get         ask apt-get, not only apt's library: takes a second for each list
`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    combinations: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'apt-get': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

function main(): boolean {
  if (flags.help) {
    process.stdout.write(usage)
    return true
  }
  const indexes = aptIndexes()
  if (indexes.length === 0 || !hasAptLibrary())
    throw new Error('apt with indexes and the package python3-apt are needed')
  const universe = universeOf(indexes, execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim())
  const listed = listedPackages()
  const named = positionals.map(text => text.split(','))
  const count = Number(flags.combinations ?? (named.length > 0 ? 0 : 30))
  const drawn = combinations(count, { seed: Number(flags.seed), listed, all: [...universe.names()].sort() })
  const lists = [...(named.length > 0 ? named : listed.map(name => [name])), ...drawn]
  const ask = flags['apt-get'] ? aptGetSolutions : aptSolutions
  let differences = 0
  for (const root of ['empty', 'minbase'] as const) {
    const [own, apt] = [ownSolutions(universe, root, lists), ask(root, lists)]
    const same = (a: Packages | undefined, b: Packages | undefined): boolean => a?.join() === b?.join()
    const results = lists.map((_, i) => same(own.solutions[i], apt.solutions[i]))
    console.log(
      `\n${heading[root]}: ${own.base.length} packages, ${same(own.base, apt.base) ? 'the same' : 'DIFFERENT'}`,
    )
    for (const [i, list] of lists.entries()) {
      console.log(`${results[i] ? 'same' : 'DIFFERENT'}  ${list.join(' ')}: ${counted(apt.solutions[i])}`)
      if (!results[i]) console.log(difference(own.solutions[i], apt.solutions[i]))
    }
    const wrong = results.filter(result => !result).length
    differences += wrong + (same(own.base, apt.base) ? 0 : 1)
    const single = results.slice(0, lists.length - drawn.length)
    console.log(`${root}: ${single.filter(Boolean).length} of ${single.length} solutions are the same as apt's`)
    if (drawn.length === 0) continue
    const several = results.slice(single.length)
    console.log(`${root}: ${several.filter(Boolean).length} of ${several.length} of random lists, seed ${flags.seed}`)
  }
  return differences === 0
}

const heading = { empty: 'An empty root', minbase: 'What every system has' }

function counted(packages: Packages | undefined): string {
  if (packages === undefined) return 'no solution'
  return packages.length === 1 ? '1 package' : `${packages.length} packages`
}

function difference(own: Packages | undefined, apt: Packages | undefined): string {
  if (own === undefined) return '  slipway finds no solution'
  if (apt === undefined) return `  apt finds no solution, slipway ${own.length} packages`
  const only = (a: Packages, b: Packages): string => a.filter(name => !b.includes(name)).join(', ') || 'nothing more'
  return `  only apt: ${only(apt, own)}\n  only slipway: ${only(own, apt)}`
}

process.exitCode = main() ? 0 : 1
