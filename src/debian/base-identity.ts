import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { BaseSpec } from './base-spec.ts'
import type { LockedSystem } from './lock/base-lock.ts'
import type { UsedSuite } from './resolve-base.ts'

/** Everything that a composed base follows from. */
export interface IdentityInputs {
  readonly spec: BaseSpec
  /** Where relative paths of the base file start. */
  readonly directory: string
  readonly locked: LockedSystem
  /** Where the packages come from: apt in a full base is told. */
  readonly suites: readonly UsedSuite[]
  /** Which program composes: another one may compose something else. */
  readonly composer: string
}

/**
 * A digest of everything that a base follows from, in hexadecimal: what its file says, the contents of the files that it names, the
 * packages by their digests, their repositories, and the program. Undefined where a file that is named cannot be read: composing
 * says so better.
 */
export function baseIdentity({ spec, directory, locked, suites, composer }: IdentityInputs): string | undefined {
  const files = [
    ...spec.system.files.flatMap(({ content }) => (content.kind === 'source' ? [content.path] : [])),
    ...spec.system.certificates.map(({ path }) => path),
  ]
  const keyrings = suites.flatMap(({ repository: { trust } }) =>
    trust.kind === 'files' && trust.own ? trust.paths : [],
  )
  try {
    const inputs = {
      composer,
      spec,
      locked,
      suites: suites.map(({ repository, components, release }) => ({
        repository,
        components,
        origin: release.origin,
        date: release.date,
      })),
      files: [...files, ...keyrings].map(path => [path, digestOf(resolve(directory, path))]),
    }
    return createHash('sha256').update(JSON.stringify(inputs, withoutPlaces)).digest('hex')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** Where something is written in the base file does not matter, so that a comment changes nothing. */
function withoutPlaces(key: string, value: unknown): unknown {
  return key === 'at' && typeof value === 'object' ? undefined : value
}

/** Of a file's bytes, or of what is in a directory, as it is copied: links are followed but for directories. */
function digestOf(path: string): unknown {
  if (!lstatSync(path).isDirectory()) return createHash('sha256').update(readFileSync(path)).digest('hex')
  return readdirSync(path)
    .sort()
    .map(name => [name, digestOf(join(path, name))])
}
