import { fetchedChain, LayerUnavailable } from '#rootfs'
import type { BuiltImage } from '../build-image.ts'
import type { SolveOptions } from '../solve.ts'
import { cachedStore } from './cached-store.ts'
import { denyNeeded } from './deny-needed.ts'
import type { OpenedCache } from './open-cache.ts'

/**
 * Solves with what caches know. What they have the names of only is made after all where somebody needs its files; so is, with
 * a warning, what cannot be fetched or is not what its record says. What was made before that stays made.
 */
export async function solveWithCaches(
  options: SolveOptions,
  caches: readonly OpenedCache[],
  solve: (options: SolveOptions) => Promise<BuiltImage>,
): Promise<BuiltImage> {
  const { signal } = options
  const cached = cachedStore(options.store, caches)
  const own = { ...options, store: cached.store }
  if (cached.hasUnavailable) await denyNeeded(own, cached)
  for (;;) {
    try {
      const image = await solve(own)
      return options.wholeResult
        ? { ...image, chain: await fetchedChain(cached.store, image.chain, { signal }) }
        : image
    } catch (error) {
      const missing = unavailableIn(error)
      if (!missing) throw error
      // Each time there is one layer less to count on.
      if (cached.deny(missing.layer)) continue
      if (!(await cached.reject(missing.layer))) throw error
      const why = missing.cause instanceof Error ? missing.cause.message : 'its bytes are nowhere'
      options.warn({
        code: 'CacheImport',
        message: `a layer of the cache is made anew: ${why}`,
        hint: 'write the cache again with --cache-to',
      })
    }
  }
}

function unavailableIn(error: unknown): LayerUnavailable | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++)
    if (each instanceof LayerUnavailable) return each
  return undefined
}
