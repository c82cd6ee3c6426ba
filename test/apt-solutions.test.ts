import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { aptIndexes, aptSolutions, hasAptLibrary, type Solutions } from './apt/apt-solutions.ts'
import { ownSolutions, universeOf } from './apt/own-solutions.ts'
import { combinations, listedPackages } from './apt/package-lists.ts'

const indexes = hasAptLibrary() ? aptIndexes() : []
const listed = listedPackages()
const together = [...combinations(5, { seed: 20_260_711, listed, all: listed }), ['postfix', 'exim4']]

// `npm run compare-solver` does it for all of the list.
describe.skipIf(indexes.length === 0)('packages and versions are those of apt (skipped without python3-apt)', () => {
  const architecture = spawnSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).stdout?.trim() ?? ''
  const universe = universeOf(indexes, architecture)

  test.each([
    ['an empty root', 'empty', 5],
    ['a root with what every system has', 'minbase', 20],
  ] as const)('in %s', (_name, root, nth) => {
    const lists = [...listed.filter((_, i) => i % nth === 0).map(name => [name]), ...together]
    const apt = aptSolutions(root, lists)
    const own = ownSolutions(universe, root, lists)
    expect(own.base).toEqual(apt.base)
    expect(byList(lists, own)).toEqual(byList(lists, apt))
    expect(apt.solutions.filter(solution => solution !== undefined).length).toBeGreaterThan(lists.length / 2)
  })
})

function byList(lists: readonly (readonly string[])[], { solutions }: Solutions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(lists.map((list, i) => [list.join(' '), solutions[i]]))
}
