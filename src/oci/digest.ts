import { createHash, type Hash } from 'node:crypto'
import { UserError } from '#diagnostics'

/** `sha256:` and 64 lower-case hexadecimal digits (image-spec, descriptor.md "Digests"). */
export type Digest = `sha256:${string}` & { readonly __digest: true }

const form = /^sha256:[0-9a-f]{64}$/

/** True for a well-formed sha256 digest. */
export function isDigest(text: string): text is Digest {
  return form.test(text)
}

/** Checks a digest from outside. Throws a `UserError` for another form or algorithm. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new UserError(`invalid digest ${JSON.stringify(text)}`, {
    hint: 'a digest is "sha256:" followed by 64 lower-case hexadecimal digits',
  })
}

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** The 64 hexadecimal digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** Hashes on the way: `update` with each chunk, then `digest`. */
export class Sha256 {
  readonly #hash: Hash = createHash('sha256')
  #size = 0

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes)
    this.#size += bytes.length
    return this
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#size
  }

  /** Of the bytes so far; more may follow. */
  digest(): Digest {
    return `sha256:${this.#hash.copy().digest('hex')}` as Digest
  }
}

/** The chain id of layers given by diff id, base first (image-spec, config.md "Layer ChainID"). */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  let chain: Digest | undefined
  for (const diffId of diffIds) chain = chain === undefined ? diffId : digestOf(`${chain} ${diffId}`)
  return chain
}
