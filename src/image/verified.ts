import { UserError } from '#diagnostics'
import { type Digest, Sha256 } from '#oci'

/** What bytes have to be. */
export interface Expectation {
  readonly digest: Digest
  readonly size?: number
  /** How errors call them. */
  readonly what: string
}

/** Passes bytes on and throws a `UserError` where they turn out to be others than expected, at the latest at the end. */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  { digest, size, what }: Expectation,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = new Sha256()
  for await (const bytes of source) {
    hash.update(bytes)
    if (size !== undefined && hash.size > size) throw mismatch(what, `is larger than ${size} bytes`)
    yield bytes
  }
  if (size !== undefined && hash.size !== size) throw mismatch(what, `has ${hash.size} bytes instead of ${size}`)
  const found = hash.digest()
  if (found !== digest) throw mismatch(what, `has digest ${found} instead of ${digest}`)
}

function mismatch(what: string, problem: string): UserError {
  return new UserError(`${what} ${problem}`, { hint: 'the image is damaged; make or fetch it again' })
}
