/** Choices that a seed decides: the same seed gives the same case on every machine. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  readonly below: (limit: number) => number
  /** True once in `times` on average. */
  readonly oneIn: (times: number) => boolean
  readonly pick: <T>(choices: readonly T[]) => T
  /** From `least` to `most` values of a generator. */
  readonly list: <T>(least: number, most: number, make: () => T) => T[]
  /** Chooses by weight: `[5, a], [1, b]` gives `a` five times of six. */
  readonly weighted: <T>(choices: readonly (readonly [number, T])[]) => T
}

/** Mulberry32: small, and good enough to choose from lists. */
export function randomOf(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <T>(choices: readonly T[]): T => {
    if (choices.length === 0) throw new Error('nothing to choose from')
    return choices[below(choices.length)] as T
  }
  return {
    below,
    oneIn: times => below(times) === 0,
    pick,
    list: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make),
    weighted: choices => {
      let left = below(choices.reduce((sum, [weight]) => sum + weight, 0))
      for (const [weight, value] of choices) {
        left -= weight
        if (left < 0) return value
      }
      throw new Error('weights do not add up')
    },
  }
}
