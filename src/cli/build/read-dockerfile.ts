import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { nearest, type Source, UserError } from '#diagnostics'
import { type IgnorePattern, parseIgnoreFile } from '#dockerfile'
import type { CliContext } from '../context.ts'
import { readText } from '../streams/open-input.ts'

/** What `slipway build` was given to read. */
export interface BuildInput {
  /** PATH as given; `-`: the Dockerfile comes from standard input, and there is no context. */
  readonly path: string
  /** `--file` as given. */
  readonly file?: string
}

/** A Dockerfile and where the files are that it copies. */
export interface ReadDockerfile {
  readonly source: Source
  /** Absolute; absent without a context. */
  readonly directory?: string
  /** Of the ignore file that counts. */
  readonly ignore: readonly IgnorePattern[]
}

/** A longer one is no Dockerfile (bytes). */
const longest = 16 << 20

/**
 * Reads the Dockerfile and the ignore file that belongs to it: `NAME.dockerignore` beside the Dockerfile, else
 * `.dockerignore` in the context (sections 1.1, 13.1 and 14.1 of the language page). Throws a `UserError`.
 */
export async function readDockerfile({ path, file }: BuildInput, context: CliContext): Promise<ReadDockerfile> {
  refuseAddress(path)
  if (path === '-') {
    if (file !== undefined && file !== '-') {
      throw new UserError('a context from standard input is not supported', {
        hint: 'unpack it into a directory, and name that',
      })
    }
    return { source: await fromStandardInput(context), ignore: [] }
  }
  const directory = resolve(context.directory, path)
  requireDirectory(directory, path)
  if (file === '-') {
    return { source: await fromStandardInput(context), directory, ignore: readIgnoreFile(directory, context) ?? [] }
  }
  const found = findDockerfile(file === undefined ? join(directory, 'Dockerfile') : resolve(context.directory, file))
  const source = { name: shown(found, context), text: readSmall(found, 'the Dockerfile') }
  const beside = readIgnoreFile(dirname(found), context, `${basename(found)}.dockerignore`)
  return { source, directory, ignore: beside ?? readIgnoreFile(directory, context) ?? [] }
}

function refuseAddress(path: string): void {
  if (!/^(https?|git|ssh):\/\/|^git@|\.git(#|$)/.test(path)) return
  throw new UserError(`the build context ${JSON.stringify(path)} is an address`, {
    hint: 'clone or download it, and name the directory',
  })
}

/** Says what is wrong with the context before anybody looks for a Dockerfile in it. */
function requireDirectory(directory: string, path: string): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  throw new UserError(`the build context ${JSON.stringify(path)} ${found ? 'is not a directory' : 'does not exist'}`, {
    hint: 'name a directory, such as "." for this one',
  })
}

/** `Dockerfile` may also be called `dockerfile`. */
function findDockerfile(path: string): string {
  const lower = join(dirname(path), 'dockerfile')
  const found = [path, ...(basename(path) === 'Dockerfile' ? [lower] : [])].find(each =>
    statSync(each, { throwIfNoEntry: false })?.isFile(),
  )
  if (found !== undefined) return found
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`${JSON.stringify(path)} is a directory, not a Dockerfile`, { hint: 'name a file with --file' })
  }
  const near = nearest(basename(path), namesIn(dirname(path)))
  throw new UserError(`there is no ${basename(path)} in ${dirname(path)}`, {
    hint:
      near === undefined
        ? 'make one, or name another file with --file (-f)'
        : `did you mean --file ${join(dirname(path), near)}?`,
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

async function fromStandardInput(context: CliContext): Promise<Source> {
  const text = await readText('-', longest, context)
  // An archive instead of a text: "ustar" stands in the header of its first member, a compressed one is binary.
  if (text.includes('\0') || text.startsWith('\u{1f}')) {
    throw new UserError('standard input is an archive: a context from there is not supported', {
      hint: 'unpack it into a directory, and name that',
    })
  }
  return { name: '<stdin>', text }
}

/** The patterns of an ignore file; undefined when there is none. */
export function readIgnoreFile(
  directory: string,
  context: CliContext,
  name: string = '.dockerignore',
): readonly IgnorePattern[] | undefined {
  const path = join(directory, name)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  return parseIgnoreFile({ name: shown(path, context), text: readSmall(path, 'the ignore file') })
}

function readSmall(path: string, what: string): string {
  const { size } = statSync(path)
  if (size <= longest) return readFileSync(path, 'utf8')
  throw new UserError(`${what} ${path} has ${size} bytes`, { hint: 'name another file' })
}

/** A path as a person in the current directory would write it. */
function shown(path: string, { directory }: CliContext): string {
  const short = relative(directory, path)
  return short.startsWith('..') ? path : short
}
