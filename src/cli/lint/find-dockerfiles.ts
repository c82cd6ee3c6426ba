import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { type Source, UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import { readText } from '../streams/open-input.ts'

/** A longer one is no Dockerfile (bytes). */
const longest = 16 << 20

/** A Dockerfile to look at. */
export interface FoundDockerfile {
  readonly source: Source
  /** Absolute; absent for standard input. */
  readonly path?: string
}

const dockerfile = /^(?:(?:Docker|Container)file(?:\..+)?|.+\.(?:docker|container)file)$/i

/** The Dockerfiles that paths name: files as they are, of directories all that are called so. Throws a `UserError`. */
export async function findDockerfiles(
  paths: readonly string[],
  context: CliContext,
): Promise<readonly FoundDockerfile[]> {
  const found: FoundDockerfile[] = []
  for (const path of paths) {
    if (path === '-') {
      found.push({ source: { name: '<stdin>', text: await readText('-', longest, context) } })
      continue
    }
    const full = resolve(context.directory, path)
    if (!existsSync(full))
      throw new UserError(`there is no file ${JSON.stringify(path)}`, { hint: 'name a Dockerfile or a directory' })
    const files = statSync(full).isDirectory() ? [...below(full)] : [full]
    if (files.length === 0)
      throw new UserError(`there is no Dockerfile in ${JSON.stringify(path)}`, { hint: 'name the file' })
    found.push(...files.map(file => ({ path: file, source: { name: shown(file, context), text: readSmall(file) } })))
  }
  return found
}

function* below(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== '.git') yield* below(path)
    } else if (
      entry.isFile() &&
      dockerfile.test(entry.name) &&
      !/\.(?:dockerignore|md|txt|sarif|json)$/i.test(entry.name)
    )
      yield path
  }
}

function readSmall(path: string): string {
  if (statSync(path).size > longest)
    throw new UserError(`${path} is too large for a Dockerfile`, { hint: 'name another file' })
  return readFileSync(path, 'utf8')
}

function shown(path: string, { directory }: CliContext): string {
  const short = relative(directory, path)
  return short.startsWith('..') ? path : short
}
