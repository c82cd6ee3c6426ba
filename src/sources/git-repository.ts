import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { lockFile } from '#linux'
import type { Store } from '#store'
import type { Git } from './git-program.ts'
import type { GitSource } from './git-url.ts'

/** What a ref is at the moment. */
export interface ResolvedGit {
  /** 40 or 64 hexadecimal digits. */
  readonly commit: string
  /** The commit, or the annotated tag that names it. */
  readonly object: string
  /** Full name, such as `refs/tags/v1`; absent for a bare commit id. */
  readonly name?: string
  /** Seconds since 1970. */
  readonly time: number
}

const wholeId = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/** A repository as far as it was fetched: kept in the store, one for each remote. */
export interface GitRepository {
  /** Asks the remote what the ref is, and fetches that commit where it is not here yet. */
  resolve(source: GitSource): Promise<ResolvedGit>
  /** The commit's files in a fresh directory of this process, with `.git`. */
  checkOut(source: GitSource, resolved: ResolvedGit): Promise<string>
}

/** The store's copy of a remote. */
export async function openRepository(
  { store, git, signal }: { readonly store: Store; readonly git: Git; readonly signal: AbortSignal },
  remote: string,
): Promise<GitRepository> {
  const bare = join(store.directory('git'), createHash('sha256').update(remote).digest('hex').slice(0, 32))
  const inBare = (args: readonly string[], options = {}): Promise<string> =>
    git.run(bare, args, { gitDirectory: bare, ...options })
  if (!existsSync(bare)) await makeBare(store, git, bare)

  const peel = async (object: string): Promise<string | undefined> =>
    inBare(['rev-parse', '--quiet', '--verify', '--end-of-options', `${object}^{commit}`]).then(
      text => text.trim(),
      () => undefined,
    )

  const fetchObject = async (object: string, name: string | undefined): Promise<string> => {
    using _ = await lockFile(`${bare}.lock`, 'exclusive', { signal })
    const here = await peel(object)
    if (here !== undefined) return here
    const fetch = (refspecs: readonly string[], depth: number): Promise<string> =>
      inBare([
        'fetch',
        '--quiet',
        `--depth=${depth}`,
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        '--',
        remote,
        ...refspecs,
      ])
    const ways: (readonly [readonly string[], number])[] = [
      [[`+${object}:refs/slipway/${object}`], 1],
      ...(name === undefined ? [] : [[[`+${name}:refs/slipway/${object}`], 1] as const]),
      // Servers that give out no single commits: everything.
      [['+refs/heads/*:refs/slipway/heads/*', '+refs/tags/*:refs/slipway/tags/*'], 2 ** 31 - 1],
    ]
    let first: unknown
    for (const [refspecs, depth] of ways) {
      try {
        await fetch(refspecs, depth)
      } catch (error) {
        signal.throwIfAborted()
        first ??= error
      }
      const commit = await peel(object)
      if (commit !== undefined) return commit
    }
    throw first ?? noSuch(object, remote)
  }

  return {
    resolve: async source => {
      const { object, name } = await lookUp(source, remote, inBare)
      const commit = await fetchObject(object, name)
      checkCommit(source, { commit, object })
      const time = Number(await inBare(['log', '-1', '--format=%ct', '--end-of-options', commit]))
      return { commit, object, time, ...(name !== undefined && { name }) }
    },
    checkOut: async (source, resolved) => {
      const directory = await store.temporary('git')
      await mkdir(directory)
      const run = (args: readonly string[], local = false): Promise<string> => git.run(directory, args, { local })
      await git.run(dirname(directory), ['init', '--quiet', '--template=', '--', directory])
      await run(['remote', 'add', '--', 'origin', remote])
      const at = resolved.name?.startsWith('refs/tags/') === true ? resolved.name : 'refs/slipway/source'
      const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
      await run([...fetch, '--', bare, `+${resolved.object}:${at}`], true)
      await run(['checkout', '--quiet', '--force', '--detach', resolved.commit])
      if (source.submodules && lstatSync(join(directory, '.gitmodules'), { throwIfNoEntry: false })?.isFile()) {
        await run(['submodule', '--quiet', 'update', '--init', '--recursive', '--force', '--depth=1'])
      }
      return directory
    },
  }
}

/** Whole or absent, also when two processes make it at once. */
async function makeBare(store: Store, git: Git, bare: string): Promise<void> {
  const fresh = await store.temporary('git-bare')
  mkdirSync(fresh)
  await git.run(fresh, ['init', '--quiet', '--bare', '--template=', '--', fresh])
  try {
    renameSync(fresh, bare)
  } catch (error) {
    if (!existsSync(bare)) throw error
  }
}

async function lookUp(
  { ref = 'HEAD', checksum, fetchByCommit }: GitSource,
  remote: string,
  run: (args: readonly string[]) => Promise<string>,
): Promise<{ readonly object: string; readonly name?: string }> {
  if (fetchByCommit && checksum !== undefined) return { object: checksum }
  if (wholeId.test(ref)) return { object: ref }
  const patterns = ref === 'HEAD' ? [ref] : [ref, `${ref}^{}`]
  const lines = (await run(['ls-remote', '--quiet', '--', remote, ...patterns])).split('\n')
  const found = new Map(
    lines.flatMap(line => {
      const [id = '', name = ''] = line.split('\t')
      return wholeId.test(id) ? [[name, id] as const] : []
    }),
  )
  // As git-checkout(1): a branch before a tag.
  const names =
    ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`]
  for (const name of names) {
    const object = found.get(name)
    if (object !== undefined) return ref === 'HEAD' ? { object } : { object, name }
  }
  throw noSuch(ref, remote)
}

function noSuch(ref: string, remote: string): UserError {
  return new UserError(`${remote} has no branch, tag or commit ${JSON.stringify(ref)}`, {
    hint: /^[0-9a-f]{4,39}$/.test(ref)
      ? 'give the whole commit id'
      : 'check the name; "git ls-remote" shows what is there',
  })
}

function checkCommit({ checksum, remote }: GitSource, { commit, object }: { commit: string; object: string }): void {
  if (checksum === undefined || commit.startsWith(checksum) || object.startsWith(checksum)) return
  throw new UserError(`${remote} is at commit ${commit}, not at ${checksum}`, {
    hint: 'check the ref and the commit id: the ref has moved, or somebody moved it',
  })
}
