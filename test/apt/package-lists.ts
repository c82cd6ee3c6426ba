import { readFileSync } from 'node:fs'

/** 200 packages of all kinds: well-known ones, and some drawn from the archive. */
export function listedPackages(): readonly string[] {
  return readFileSync(new URL('packages.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
}

/**
 * Lists of two to six packages that somebody wants together, drawn by a seed: half of the names from the list, the others from
 * everything that there is.
 */
export function combinations(
  count: number,
  { seed, listed, all }: { readonly seed: number; readonly listed: readonly string[]; readonly all: readonly string[] },
): readonly (readonly string[])[] {
  const random = generator(seed)
  const pick = (names: readonly string[]): string => names[random(names.length)] ?? ''
  return Array.from({ length: count }, () => {
    const names = Array.from({ length: 2 + random(5) }, () => pick(random(2) === 0 ? listed : all))
    return [...new Set(names)]
  })
}

/** Whole numbers below a limit (mulberry32). */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}
