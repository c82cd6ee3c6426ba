import { satisfiesVersion, type VersionOperator } from './version.ts'

/** One alternative of a relation: `name[:qualifier] [(operator version)]` (Debian policy, section 7.1). */
export interface Relation {
  readonly name: string
  /** `any`, `native` or an architecture. */
  readonly qualifier?: string
  readonly operator?: VersionOperator
  readonly version?: string
}

/** Alternatives, best first; one of them is enough. */
export type OrGroup = readonly Relation[]

/**
 * Parses the value of Depends and its like: groups separated by commas, alternatives by `|`. Parts of another form are kept
 * as a name that no package has, so that they never count as satisfied.
 */
export function parseRelations(text: string | undefined): readonly OrGroup[] {
  if (text === undefined || text === '') return []
  const groups: OrGroup[] = []
  for (const group of text.split(',')) {
    const alternatives = group
      .split('|')
      .map(part => part.trim())
      .filter(part => part !== '')
      .map(parseRelation)
    if (alternatives.length > 0) groups.push(alternatives)
  }
  return groups
}

const form = /^([^\s:(]+)(?::([A-Za-z0-9-]+))?\s*(?:\(\s*(<<|<=|>=|>>|=|<|>)\s*([^\s)]+)\s*\))?$/

/** Parses one alternative. */
export function parseRelation(text: string): Relation {
  const match = form.exec(text)
  if (!match) return { name: text }
  const [, name = '', qualifier, operator, version] = match
  return {
    name,
    ...(qualifier !== undefined && { qualifier }),
    ...(operator !== undefined && version !== undefined && { operator: normalOperator(operator), version }),
  }
}

function normalOperator(operator: string): VersionOperator {
  if (operator === '<') return '<='
  if (operator === '>') return '>='
  return operator as VersionOperator
}

/** Whether a version (of a package, or the one a package provides; absent for an unversioned Provides) is what is asked for. */
export function versionFits({ operator, version }: Relation, have: string | undefined): boolean {
  if (operator === undefined || version === undefined) return true
  return have !== undefined && satisfiesVersion(have, operator, version)
}

/** As in a control file. */
export function formatRelation({ name, qualifier, operator, version }: Relation): string {
  const restriction = operator === undefined ? '' : ` (${operator} ${version})`
  return `${name}${qualifier === undefined ? '' : `:${qualifier}`}${restriction}`
}

/** As in a control file. */
export function formatGroup(group: OrGroup): string {
  return group.map(formatRelation).join(' | ')
}
