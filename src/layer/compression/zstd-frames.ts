/** A piece of a zstd stream. */
export interface ZstdPiece {
  readonly bytes: Uint8Array
  /** Its last byte is the last of a frame. */
  readonly endsFrame: boolean
}

/** The form of a frame is wrong. */
export class ZstdFormError extends Error {
  override readonly name = 'ZstdFormError'
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

/**
 * Finds where the frames of a zstd stream end (RFC 8878, 3.1), which node's decompressor, made for one frame, doesn't.
 * Feeds on chunks of any size; skippable frames are left out. The pieces are views of the chunks, but for some bytes
 * of headers that lie across two.
 */
export interface ZstdSplitter {
  push(chunk: Uint8Array): Generator<ZstdPiece, void, undefined>
  /** True between two frames. */
  isBetween(): boolean
}

type Part =
  | 'magic'
  | 'skippable-size'
  | 'skippable'
  | 'descriptor'
  | 'rest-of-header'
  | 'block-header'
  | 'block'
  | 'checksum'

/** See `ZstdSplitter`. Throws a `ZstdFormError` for what is no frame. */
export function createZstdSplitter(): ZstdSplitter {
  let part: Part = 'magic'
  /** Bytes that the part still needs; the last few of them, for the parts that are numbers. */
  let needed = 4
  let number = 0
  let digits = 0
  let hasChecksum = false
  let isLastBlock = false

  function go(next: Part, size: number): false {
    part = next
    needed = size
    number = 0
    digits = 0
    return false
  }

  /** The part is complete; true when the frame is too. */
  function finish(): boolean {
    switch (part) {
      case 'magic':
        if (number === frameMagic) return go('descriptor', 1)
        if ((number & 0xfffffff0) >>> 0 === skippableMagic) return go('skippable-size', 4)
        throw new ZstdFormError('something that is no zstd frame follows one')
      case 'skippable-size':
        return number === 0 ? go('magic', 4) : go('skippable', number)
      case 'skippable':
        return go('magic', 4)
      case 'descriptor':
        return startHeader(number)
      case 'rest-of-header':
        return go('block-header', 3)
      case 'block-header':
        return startBlock(number)
      case 'block':
        return finishBlock()
      case 'checksum':
        go('magic', 4)
        return true
    }
  }

  function startHeader(descriptor: number): false {
    const isSingleSegment = (descriptor & 0x20) !== 0
    const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
    hasChecksum = (descriptor & 4) !== 0
    return go('rest-of-header', (isSingleSegment ? 0 : 1) + dictionary + contentSize)
  }

  function startBlock(header: number): boolean {
    isLastBlock = (header & 1) !== 0
    const type = (header >> 1) & 3
    if (type === 3) throw new ZstdFormError('a block has a reserved type')
    go('block', type === 1 ? 1 : header >> 3)
    return needed === 0 ? finishBlock() : false
  }

  function finishBlock(): boolean {
    if (!isLastBlock) return go('block-header', 3)
    if (hasChecksum) return go('checksum', 4)
    go('magic', 4)
    return true
  }

  /** Whether the bytes of the part belong to a frame that is decompressed. */
  const isKept = () => part !== 'magic' && part !== 'skippable-size' && part !== 'skippable'
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(frameMagic)

  return {
    *push(chunk) {
      let start = 0
      for (let at = 0; at < chunk.length; ) {
        const wasKept = isKept()
        const size = Math.min(needed, chunk.length - at)
        if (needed <= 4) {
          for (let i = 0; i < size; i++) number += (chunk[at + i] as number) * 2 ** (8 * digits++)
        }
        at += size
        needed -= size
        if (needed > 0) continue
        if (finish()) {
          yield { bytes: chunk.subarray(start, at), endsFrame: true }
          start = at
        } else if (!wasKept) {
          // The magic number may lie across two chunks: it is known, so it is made anew.
          if (isKept()) yield { bytes: magic, endsFrame: false }
          start = at
        }
      }
      if (isKept() && start < chunk.length) yield { bytes: chunk.subarray(start), endsFrame: false }
    },
    isBetween: () => part === 'magic' && digits === 0,
  }
}
