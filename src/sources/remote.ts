import { UserError } from '#diagnostics'
import type { Http } from '#http'
import type { Digest } from '#oci'
import type { Store } from '#store'
import { fetchUrl, type RemoteFile } from './fetch-url.ts'
import { type Git, gitProtocols, openGit } from './git-program.ts'
import { type GitRepository, openRepository, type ResolvedGit } from './git-repository.ts'
import { gitIdentity, gitTree } from './git-tree.ts'
import type { GitSource } from './git-url.ts'
import type { Selectable } from './selectable.ts'

export interface RemoteOptions {
  readonly store: Store
  readonly http: Http
  /** A secret of the command line by id; undefined where there is none. */
  readonly secret: (id: string) => Promise<Uint8Array | undefined>
  /** The caller's environment: see `GitOptions`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Socket of the agent that `--ssh default` names. */
  readonly sshSocket?: () => Promise<string | undefined>
  /** Protocols that `git` may speak; default: those that reach other machines. */
  readonly protocols?: readonly string[]
  readonly signal: AbortSignal
}

/** A commit that is here, and its files once somebody asks. */
export interface GitCheckout {
  readonly identity: Readonly<Record<string, unknown>>
  /** When the commit was made, in seconds since 1970. */
  readonly time: number
  open(): Promise<Selectable>
}

export interface FetchOptions {
  readonly checksum?: Digest
  readonly onBytes?: (done: number, total: number | undefined) => void
}

/** What comes from other machines; each address is asked once, however many steps name it. */
export interface Remote {
  /** Throws as `fetchUrl` does. */
  file(url: string, options?: FetchOptions): Promise<RemoteFile>
  /** Throws a `UserError` for what `git` refuses, a missing ref or directory, and another commit. */
  git(source: GitSource): Promise<GitCheckout>
}

/** Opens the way to other machines; nothing is asked before somebody wants something. */
export function openRemote(options: RemoteOptions): Remote {
  const { store, http, signal } = options
  const once = memory()
  const repository = async (source: GitSource): Promise<GitRepository> => {
    const git = await gitFor(source, options)
    return openRepository({ store, git, signal }, source.remote)
  }
  return {
    file: (url, { checksum, onBytes } = {}) =>
      once(`file ${checksum ?? ''} ${url}`, async () =>
        fetchUrl(
          { store, http },
          {
            url,
            headers: await urlHeaders(url, options),
            signal,
            ...(checksum !== undefined && { checksum }),
            ...(onBytes && { onBytes }),
          },
        ),
      ),
    git: async source => {
      const about = JSON.stringify(source)
      const opened = await once(`repository ${source.remote}`, () => repository(source))
      const resolved: ResolvedGit = await once(`commit ${about}`, () => opened.resolve(source))
      return {
        identity: gitIdentity(source, resolved),
        time: resolved.time,
        open: () =>
          once(`tree ${about}`, async () => gitTree(await opened.checkOut(source, resolved), source, resolved)),
      }
    },
  }
}

function memory(): <T>(key: string, make: () => Promise<T>) => Promise<T> {
  const made = new Map<string, Promise<unknown>>()
  return <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const found = made.get(key) as Promise<T> | undefined
    if (found) return found
    const fresh = make()
    made.set(key, fresh)
    return fresh
  }
}

async function text(options: RemoteOptions, ...ids: readonly string[]): Promise<string | undefined> {
  for (const id of ids) {
    const value = await options.secret(id)
    if (!value) continue
    const line = Buffer.from(value).toString('utf8').trim()
    if (/[\r\n\0]/.test(line)) {
      throw new UserError(`the secret ${id} has more than one line`, { hint: 'give the token alone' })
    }
    return line
  }
  return undefined
}

/** Secrets by host (12.20), with its port or without. */
async function urlHeaders(url: string, options: RemoteOptions): Promise<Record<string, string>> {
  const { host, hostname } = new URL(url)
  const header = await text(options, `HTTP_AUTH_HEADER_${host}`, `HTTP_AUTH_HEADER_${hostname}`)
  if (header !== undefined) return { authorization: header }
  const token = await text(options, `HTTP_AUTH_TOKEN_${host}`, `HTTP_AUTH_TOKEN_${hostname}`)
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

async function gitFor({ remote, credentials }: GitSource, options: RemoteOptions): Promise<Git> {
  const protocols = options.protocols ?? gitProtocols
  const protocol = protocolOf(remote)
  if (!protocols.includes(protocol)) {
    throw new UserError(`git repositories cannot come over ${protocol}`, {
      hint: `use ${gitProtocols.join(', ')}`,
    })
  }
  const ssh = protocol === 'ssh'
  const sshSocket = ssh ? await options.sshSocket?.() : undefined
  if (ssh && sshSocket === undefined) {
    throw new UserError(`${remote} needs an ssh agent`, { hint: 'give one that has the key: --ssh default' })
  }
  const header = /^https?$/.test(protocol) ? await gitHeader(new URL(remote), credentials, options) : undefined
  return openGit({
    environment: options.environment,
    protocols,
    signal: options.signal,
    ...(sshSocket !== undefined && { sshSocket }),
    ...(header !== undefined && { header: { origin: new URL(remote).origin, value: header } }),
  })
}

/** `host:path` is ssh's short form. */
function protocolOf(remote: string): string {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(remote)?.[1]?.toLowerCase() ?? 'ssh'
}

async function gitHeader(
  { host, hostname }: URL,
  credentials: string | undefined,
  options: RemoteOptions,
): Promise<string | undefined> {
  if (credentials !== undefined) return `Basic ${Buffer.from(credentials).toString('base64')}`
  const header = await text(options, `GIT_AUTH_HEADER.${host}`, `GIT_AUTH_HEADER.${hostname}`, 'GIT_AUTH_HEADER')
  if (header !== undefined) return header
  const token = await text(options, `GIT_AUTH_TOKEN.${host}`, `GIT_AUTH_TOKEN.${hostname}`, 'GIT_AUTH_TOKEN')
  return token === undefined ? undefined : `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
}
