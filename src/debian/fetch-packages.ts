import { UserError } from '#diagnostics'
import type { Reporter } from './compose-options.ts'
import { inParallel } from './in-parallel.ts'
import { below, createMirrorReader } from './mirror-reader.ts'
import type { Http } from '#http'
import type { PackageCache } from './package-cache.ts'
import type { ResolvedPackage } from './resolve-base.ts'

/** What has to be known of a package to fetch it. */
export interface FetchedPackage {
  readonly record: Pick<ResolvedPackage['record'], 'name' | 'version' | 'filename' | 'size' | 'sha256'>
  /** Addresses of repositories that have it, tried in turn. */
  readonly uris: readonly string[]
}

export interface FetchContext {
  readonly http: Http
  readonly cache: PackageCache
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
  /** The packages are those of a lock, which a mirror may have dropped since. */
  readonly isLocked?: boolean
}

const simultaneous = 8

/** Brings packages into the cache, several at a time; gives the path of each by name. Throws a `UserError`. */
export async function fetchPackages(
  packages: readonly FetchedPackage[],
  context: FetchContext,
): Promise<ReadonlyMap<string, string>> {
  const { cache, reporter, signal } = context
  const paths = new Map<string, string>()
  const missing: FetchedPackage[] = []
  for (const item of packages) {
    const path = await cache.find(item.record)
    if (path === undefined) missing.push(item)
    else paths.set(item.record.name, path)
  }
  const total = missing.reduce((sum, { record }) => sum + record.size, 0)
  const text = `downloading ${missing.length} of ${packages.length} packages`
  await reporter.activity(text, async activity => {
    if (missing.length === 0) return activity.cached()
    let done = 0
    const count = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        done += chunk.length
        activity.transfer('packages', Math.min(done, total), total)
        yield chunk
      }
    }
    // Large ones first: the last connection to finish should have the least to do.
    const queue = missing.toSorted((a, b) => b.record.size - a.record.size)
    await inParallel(
      queue,
      simultaneous,
      async (item, either) => {
        const { address, bytes } = await openPackage(item, context, either)
        paths.set(item.record.name, await cache.add(item.record, count(bytes), address))
      },
      signal,
    )
  })
  return paths
}

interface OpenedPackage {
  readonly address: string
  readonly bytes: AsyncIterable<Uint8Array>
}

async function openPackage(
  { record, uris }: FetchedPackage,
  { http, isLocked }: FetchContext,
  signal: AbortSignal,
): Promise<OpenedPackage> {
  for (const uri of uris) {
    const address = below(uri, record.filename)
    const bytes = await createMirrorReader(http, signal).stream(address, record.size)
    if (bytes !== undefined) return { address, bytes }
  }
  const address = below(uris[0] ?? '', record.filename)
  if (isLocked) {
    throw new UserError(`the mirror no longer has ${record.name} ${record.version}, which the lock names`, {
      hint: 'take newer versions with "slipway base update --write", or name a mirror that keeps old ones (a snapshot of the day of the lock)',
      details: [address],
    })
  }
  throw new UserError(`${address} does not exist although the index lists it`, {
    hint: 'the mirror is in the middle of an update or incomplete; try again later, or use another one',
  })
}
