import { endOfArchive, tarPadding } from './blocks.ts'
import { encodeTarHeader } from './encode-tar-header.ts'
import type { TarHeader } from './header.ts'

/** A member to write; a file of more than 0 bytes needs its content. */
export interface TarInput {
  readonly header: TarHeader
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const batchSize = 1 << 18

/**
 * The archive of `members` in their order, with the end mark. The same members give the same bytes, however the content
 * is cut. Throws a `UserError` for a header that doesn't fit, an `Error` when content and size differ.
 */
export async function* writeTar(
  members: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const batch = createBatch()
  for await (const { header, content } of members) {
    yield* batch.add(encodeTarHeader(header))
    let size = 0
    if (content !== undefined) {
      for await (const bytes of content) {
        size += bytes.length
        if (size > header.size) break
        yield* batch.add(bytes)
      }
    }
    if (size !== header.size) {
      const found = size > header.size ? 'more' : `${size} bytes`
      throw new Error(`the content of ${JSON.stringify(header.path)} is ${found}, its header says ${header.size} bytes`)
    }
    yield* batch.add(tarPadding(size))
  }
  yield* batch.add(endOfArchive)
  yield* batch.flush()
}

/** Gathers small pieces by copying; large ones pass as they are. */
function createBatch() {
  let buffer = Buffer.allocUnsafe(batchSize)
  let used = 0
  function* flush(): Generator<Uint8Array, void, undefined> {
    if (used === 0) return
    const full = buffer.subarray(0, used)
    buffer = Buffer.allocUnsafe(batchSize)
    used = 0
    yield full
  }
  function* add(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (used + bytes.length > batchSize) yield* flush()
    if (bytes.length > batchSize / 2) {
      yield* flush()
      yield bytes
    } else {
      buffer.set(bytes, used)
      used += bytes.length
    }
  }
  return { add, flush }
}
