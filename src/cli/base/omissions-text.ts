import type { ComposedBase } from '#debian'

/**
 * One line that names the dependencies that a minimal base does not follow, each once with the packages that have it; empty
 * where all are followed.
 */
export function omissionsText({ omitted }: Pick<ComposedBase, 'omitted'>): string {
  const byRelation = Map.groupBy(omitted, ({ relation }) => relation)
  const parts = [...byRelation].map(([relation, items]) => `${relation} (${items.map(({ of }) => of).join(', ')})`)
  return parts.length === 0 ? '' : `dependencies not followed: ${parts.sort().join('; ')}\n`
}
