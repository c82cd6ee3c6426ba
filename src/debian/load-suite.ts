import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { below, type MirrorReader } from './mirror-reader.ts'
import type { Content, PackageCache } from './package-cache.ts'
import { parseRelease, type ReleaseEntry, type ReleaseFile } from './release-file.ts'
import type { Repository } from './select-repositories.ts'
import { verifyRelease } from './verify-release.ts'

/** A verified suite of a mirror with its Packages indexes. */
export interface Suite {
  readonly repository: Repository
  readonly release: ReleaseFile
  /** Those of the wanted components that it has. */
  readonly components: readonly string[]
  /** Texts of Packages files. */
  readonly indexes: readonly Buffer[]
}

export interface LoadContext {
  readonly mirror: MirrorReader
  readonly cache: PackageCache
  readonly architecture: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Takes bytes that arrived, with a name for them and their number in all. */
  readonly onTransfer: (label: string, bytes: number, total: number) => void
}

const releaseLimit = 32 * 1024 * 1024
const indexLimit = 1024 * 1024 * 1024

/**
 * Loads one suite: InRelease is fetched and its signature and Valid-Until checked; indexes come from the cache or the mirror and
 * have the sizes and digests that InRelease says. Undefined for an optional suite that the mirror does not have. Throws a
 * `UserError`.
 */
export async function loadSuite(repository: Repository, context: LoadContext): Promise<Suite | undefined> {
  const root = `${repository.uri}/dists/${repository.suite}`
  const bytes = await context.mirror.small(`${root}/InRelease`, releaseLimit)
  if (bytes === undefined) {
    if (repository.optional) return undefined
    throw new UserError(`${repository.uri} has no suite ${repository.suite}`, {
      hint: 'check the name of the suite and the address of the mirror (…/debian, without dists)',
    })
  }
  const text = await verifyRelease(bytes.toString('utf8'), repository.trust, `${root}/InRelease`)
  const release = parseRelease(text)
  checkRelease(repository, release, context.now)
  const indexes: Buffer[] = []
  const components: string[] = []
  for (const component of repository.components) {
    const index = await loadIndex(root, `${component}/binary-${context.architecture}/Packages`, release, context)
    if (index === undefined) {
      if (repository.fromHost) continue
      throw new UserError(`${repository.suite} at ${repository.uri} has no ${component} for ${context.architecture}`, {
        hint: `it has the components ${release.components.join(', ')} for ${release.architectures.join(', ')}`,
      })
    }
    const shared = release.separateAll && (await loadIndex(root, `${component}/binary-all/Packages`, release, context))
    components.push(component)
    indexes.push(index, ...(shared ? [shared] : []))
  }
  return { repository, release, components, indexes }
}

function checkRelease({ uri, suite, checkValidUntil }: Repository, release: ReleaseFile, now: number): void {
  const names = [release.suite, release.codename].filter(name => name !== '')
  if (names.length > 0 && !names.some(name => name === suite || suite.startsWith(`${name}/`))) {
    throw new UserError(`${uri} gives ${names.join(' or ')} where ${suite} was asked for`, {
      hint: 'the mirror mixes up its suites; use another one',
    })
  }
  if (checkValidUntil && release.validUntil !== undefined && release.validUntil < now) {
    throw new UserError(`the index of ${suite} at ${uri} expired on ${new Date(release.validUntil).toISOString()}`, {
      hint: 'the mirror is out of date: use another one, or write "check-valid-until: false" for a snapshot on purpose',
    })
  }
}

/** The text of an index, given by its path below the suite; undefined where the suite has no such index. */
async function loadIndex(
  root: string,
  path: string,
  release: ReleaseFile,
  context: LoadContext,
): Promise<Buffer | undefined> {
  const plain = release.files.get(path)
  const known = plain && (await fromCache(plain, context.cache))
  if (known) return known
  const chosen = chooseForm(path, release)
  if (chosen === undefined) return undefined
  if (chosen.entry.size > indexLimit || (plain?.size ?? 0) > indexLimit) throw tooLarge(`${root}/${path}`)
  const text = await unpackIndex(await fetchForm(root, chosen, release, context), chosen.ending, `${root}/${path}`)
  if (plain === undefined) return text
  await context.cache.add(plain, oneChunk(text), `${root}/${path}`)
  return text
}

interface IndexForm {
  readonly path: string
  readonly ending: string
  readonly entry: ReleaseEntry
}

/** gzip unpacks four times as fast as xz; it is taken where it is not much larger. */
function chooseForm(path: string, { files }: ReleaseFile): IndexForm | undefined {
  const forms = ['.gz', '.xz', ''].flatMap((ending): IndexForm[] => {
    const entry = files.get(path + ending)
    return entry ? [{ path: path + ending, ending, entry }] : []
  })
  const cost: Readonly<Record<string, number>> = { '.gz': 1, '.xz': 1.6, '': 1 }
  const weight = ({ entry, ending }: IndexForm): number => entry.size * (cost[ending] ?? 1)
  return forms.sort((a, b) => weight(a) - weight(b))[0]
}

async function fetchForm(
  root: string,
  { path, entry }: IndexForm,
  release: ReleaseFile,
  { mirror, onTransfer }: LoadContext,
): Promise<Buffer> {
  const directory = path.slice(0, path.lastIndexOf('/'))
  const places = release.byHash ? [`${directory}/by-hash/SHA256/${entry.sha256}`, path] : [path]
  for (const place of places) {
    const stream = await mirror.stream(below(root, place), entry.size)
    if (stream === undefined) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      onTransfer(`${root}/${path}`, chunk.length, entry.size)
    }
    const bytes = Buffer.concat(chunks)
    if (isContent(bytes, entry)) return bytes
    throw new UserError(`${root}/${path} is not what InRelease announces`, {
      hint: 'the mirror may be in the middle of an update; try again later, or use another mirror',
    })
  }
  throw new UserError(`${root}/${path} is missing although InRelease announces it`, {
    hint: 'the mirror is incomplete; use another one',
  })
}

async function unpackIndex(bytes: Buffer, ending: string, name: string): Promise<Buffer> {
  if (ending === '') return bytes
  if (ending === '.gz') return promisify(gunzip)(bytes, { maxOutputLength: indexLimit })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of decompress(oneChunk(bytes))) {
    size += chunk.length
    if (size > indexLimit) throw tooLarge(name)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function fromCache(content: Content, cache: PackageCache): Promise<Buffer | undefined> {
  const path = await cache.find(content)
  if (path === undefined) return undefined
  const bytes = await readFile(path)
  if (isContent(bytes, content)) return bytes
  await cache.drop(content)
  return undefined
}

function isContent(bytes: Buffer, { size, sha256 }: Content): boolean {
  return bytes.length === size && createHash('sha256').update(bytes).digest('hex') === sha256
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function tooLarge(name: string): UserError {
  return new UserError(`${name} is larger than ${indexLimit} bytes`, { hint: 'check the address of the mirror' })
}
