/** Characters of fake values; the same seed gives the same ones. */
export interface RandomValues {
  of(alphabet: string, length: number): string
  hex(length: number): string
  base62(length: number): string
  base64(bytes: number): string
  base64url(length: number): string
  bytes(length: number): Buffer
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
export const digits = '0123456789'
export const upper = lower.toUpperCase()
export const base32 = `${upper}234567`

/** A generator with 32 bits of state (xorshift), so that a failing case can be looked at again. */
export function randomValues(seed: number): RandomValues {
  let state = seed >>> 0 || 1
  const next = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
  const of = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[next(alphabet.length)]).join('')
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => next(256)))
  return {
    of,
    bytes,
    hex: length => of(`${digits}abcdef`, length),
    base62: length => of(`${lower}${upper}${digits}`, length),
    base64: length => bytes(length).toString('base64'),
    base64url: length => of(`${lower}${upper}${digits}_-`, length),
  }
}
