import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { nearest, type Source, UserError } from '#diagnostics'
import { type IgnorePattern, parseIgnoreFile } from '#dockerfile'
import { isAddress, type Selectable } from '#sources'
import type { CliContext } from '../context.ts'
import { readText } from '../streams/open-input.ts'
import type { Elsewhere } from './open-elsewhere.ts'
import { readRemoteContext } from './read-remote-context.ts'

/** What `slipway build` was given to read. */
export interface BuildInput {
  /** PATH as given: a directory, an address, or `-` for standard input. */
  readonly path: string
  /** `--file` as given. */
  readonly file?: string
  /** Keep `.git` of a context that is a repository. */
  readonly keepGitDir?: boolean
}

/** A Dockerfile and where the files are that it copies. */
export interface ReadDockerfile {
  readonly source: Source
  /** Absolute; absent without a context, and when it is no directory. */
  readonly directory?: string
  /** A context that is no directory. */
  readonly files?: Selectable
  /** Of a context that comes from another machine. */
  readonly address?: string
  /** Of the ignore file that counts. */
  readonly ignore: readonly IgnorePattern[]
}

/** A longer one is no Dockerfile (bytes). */
const longest = 16 << 20

/**
 * Reads the Dockerfile and the ignore file that belongs to it: `NAME.dockerignore` beside the Dockerfile, else
 * `.dockerignore` in the context (sections 1.1, 13.1 and 14.1 of the language page); none for a context that is no
 * directory (13.8). Throws a `UserError`.
 */
export async function readDockerfile(
  input: BuildInput,
  elsewhere: Elsewhere,
  context: CliContext,
): Promise<ReadDockerfile> {
  const { path, file } = input
  const directory = resolve(context.directory, path)
  if (path === '-' || (isAddress(path) && !existsSync(directory))) {
    const { source, files } = await readRemoteContext(input, elsewhere, context)
    return {
      source: source ?? (await fromStandardInput(context)),
      ignore: [],
      ...(files && { files }),
      ...(path !== '-' && { address: path }),
    }
  }
  requireDirectory(directory, path)
  if (file === '-') {
    return { source: await fromStandardInput(context), directory, ignore: readIgnoreFile(directory, context) ?? [] }
  }
  const found = findDockerfile(file === undefined ? join(directory, 'Dockerfile') : resolve(context.directory, file))
  const source = { name: shown(found, context), text: readSmall(found, 'the Dockerfile') }
  const beside = readIgnoreFile(dirname(found), context, `${basename(found)}.dockerignore`)
  return { source, directory, ignore: beside ?? readIgnoreFile(directory, context) ?? [] }
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
  if (text.includes('\0') || text.startsWith('\u{1f}')) {
    throw new UserError('standard input is an archive, not a Dockerfile', {
      hint: 'to build with the archive as context, name "-" in place of the directory and leave --file - out',
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
