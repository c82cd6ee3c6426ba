import { createReadStream } from 'node:fs'
import { UserError } from '#diagnostics'
import type { Digest } from '#oci'
import { isGitSource, isUrlSource } from '#plan'
import { cacheKey, type Store } from '#store'
import { type Entry, mergeLayers } from '#tree'
import { openArchive } from './archive.ts'
import { parseGitUrl } from './git-url.ts'
import type { FetchOptions, Remote } from './remote.ts'
import { type Selectable, selectableTree } from './selectable.ts'

/** What a context from elsewhere turned out to be (14.1). No ignore file applies to it (13.8). */
export type RemoteContext =
  | { readonly kind: 'files'; readonly tree: Selectable }
  /** Not an archive: then it is the Dockerfile itself. */
  | { readonly kind: 'text'; readonly text: string }

/** A longer text is no Dockerfile (bytes). */
const longestText = 16 << 20

/** Whether a build context is an address, and not a path. `github.com/…` is an old short form of one. */
export function isAddress(text: string): boolean {
  return isGitSource(text) || isUrlSource(text) || text.startsWith('github.com/')
}

/** The address without its old short form, and whether git gets it. */
export function readAddress(address: string): { readonly git: boolean; readonly whole: string } {
  const short = address.startsWith('github.com/')
  const whole = short ? `https://${address}` : address
  return { git: short || isGitSource(whole), whole }
}

/**
 * Opens the context at an address: a git repository, an archive (compressed by anything), or a Dockerfile. Archives are
 * read where they lie, nothing is unpacked. Throws a `UserError`.
 */
export async function openRemoteContext(
  { store, remote }: { readonly store: Store; readonly remote: Remote },
  address: string,
  options: Pick<FetchOptions, 'onBytes'> & { readonly keepGitDir?: boolean } = {},
): Promise<RemoteContext> {
  const { git, whole } = readAddress(address)
  if (git) {
    const source = parseGitUrl(whole)
    const checkout = await remote.git({ ...source, keepGitDir: source.keepGitDir || options.keepGitDir === true })
    return { kind: 'files', tree: { ...(await checkout.open()), identity: cacheKey('git', checkout.identity) } }
  }
  return openBlobContext(store, await remote.file(whole, options), new URL(whole).host)
}

/** Opens a context that comes as a stream, such as standard input; `name` is for messages. */
export async function openStreamContext(
  store: Store,
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): Promise<RemoteContext> {
  await using blob = await store.blobs.begin()
  for await (const chunk of bytes) await blob.write(chunk)
  const { digest, size } = await blob.commit()
  return await openBlobContext(store, { digest, size, path: store.blobs.path(digest) }, name)
}

async function openBlobContext(
  store: Store,
  { digest, size, path }: { readonly digest: Digest; readonly size: number; readonly path: string },
  name: string,
): Promise<RemoteContext> {
  const entry: Entry = {
    path: name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: { seconds: 0, nanoseconds: 0 },
    source: { kind: 'file', path },
    content: digest,
  }
  const archive = await openArchive(store, entry)
  if (archive) {
    return {
      kind: 'files',
      tree: selectableTree(mergeLayers([await archive.members()]), cacheKey('archive', { digest })),
    }
  }
  return { kind: 'text', text: await readText(path, size, name) }
}

async function readText(path: string, size: number, name: string): Promise<string> {
  const chunks: Uint8Array[] = []
  if (size <= longestText) for await (const chunk of createReadStream(path)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  if (size <= longestText && !bytes.includes(0)) return bytes.toString('utf8')
  throw new UserError(`${name} is neither an archive nor a Dockerfile`, {
    hint: 'give a tar archive (plain, or compressed with gzip, bzip2, xz or zstd), or the text of a Dockerfile',
  })
}
