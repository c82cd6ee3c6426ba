import { UserError } from '#diagnostics'
import type { Reporter } from './compose-options.ts'
import { inParallel } from './in-parallel.ts'
import { below, createMirrorReader } from './mirror-reader.ts'
import type { Http } from '#http'
import type { PackageCache } from './package-cache.ts'
import type { ResolvedPackage } from './resolve-base.ts'

export interface FetchContext {
  readonly http: Http
  readonly cache: PackageCache
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

const simultaneous = 8

/** Brings packages into the cache, several at a time; gives the path of each by name. Throws a `UserError`. */
export async function fetchPackages(
  packages: readonly ResolvedPackage[],
  { http, cache, reporter, signal }: FetchContext,
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>()
  const missing: ResolvedPackage[] = []
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
      async ({ record, uri }, either) => {
        const address = below(uri, record.filename)
        const bytes = await createMirrorReader(http, either).stream(address, record.size)
        if (bytes === undefined) {
          throw new UserError(`${address} does not exist although the index lists it`, {
            hint: 'the mirror is in the middle of an update or incomplete; try again later, or use another one',
          })
        }
        paths.set(record.name, await cache.add(record, count(bytes), address))
      },
      signal,
    )
  })
  return paths
}
