import { indexPackages } from '../../src/debian/package-index.ts'
import { type Solution, solve, type Wanted } from '../../src/debian/solve.ts'
import { joinIndexes, type Universe } from '../../src/debian/universe.ts'
import { UserError } from '#diagnostics'
import type { Packages, Root, Solutions } from './apt-solutions.ts'

/** What the indexes offer to this machine's architecture. */
export function universeOf(indexes: readonly Buffer[], architecture: string): Universe {
  return joinIndexes({ architecture, indexes: indexes.map(indexPackages) })
}

/** What our solver would install. */
export function ownSolutions(universe: Universe, root: Root, lists: readonly (readonly string[])[]): Solutions {
  const base = root === 'empty' ? new Map() : minbase(universe)
  return {
    base: packagesOf(base, new Map()),
    solutions: lists.map(names => {
      try {
        return packagesOf(solve(universe, wanted(names), base), base)
      } catch (error) {
        if (error instanceof UserError) return undefined
        throw error
      }
    }),
  }
}

/** As `slipway base` makes one: first what is essential, the rest on top. */
function minbase(universe: Universe): Solution {
  const namesOf = (records: Universe['essential']): string[] => records.map(({ name }) => name)
  const essential = solve(universe, wanted(['usr-is-merged', ...namesOf(universe.essential)]))
  return solve(universe, wanted([...namesOf(universe.required), 'apt']), essential)
}

function wanted(names: readonly string[]): readonly Wanted[] {
  return names.map(name => ({ relation: { name } }))
}

function packagesOf(solution: Solution, before: Solution): Packages {
  return [...solution.values()]
    .filter(({ record }) => !before.has(record.name))
    .map(({ record }) => `${record.name}=${record.version}`)
    .sort()
}
