/** Cuts a stream into blocks of exactly `size` bytes, the last one shorter (empty when the stream is, or divides evenly). */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }, void, undefined> {
  let block = Buffer.allocUnsafeSlow(size)
  let filled = 0
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + size - filled)
      block.set(piece, filled)
      at += piece.length
      filled += piece.length
      if (filled === size) {
        yield { bytes: block, isLast: false }
        block = Buffer.allocUnsafeSlow(size)
        filled = 0
      }
    }
  }
  yield { bytes: block.subarray(0, filled), isLast: true }
}
