import { UserError } from '#diagnostics'
import { blockSize, metaLimit, paddingSize } from './blocks.ts'
import type { TarHeader } from './header.ts'
import { decodeName } from './name.ts'
import { readNumber } from './octal.ts'
import { parsePaxRecords } from './pax-records.ts'
import { decodeRawHeader, type HeaderProblem, type RawHeader } from './raw-header.ts'
import {
  createSparseMapReader,
  type Extent,
  isValidSparseMap,
  readOldExtents,
  type SparseMapReader,
} from './sparse-map.ts'
import { type AssembledMember, assembleMember, type Extensions, paxMapOf } from './tar-member.ts'

/** What the parser calls, synchronously, in the order of the archive. A handler that throws ends the parse. */
export interface TarHandlers {
  /**
   * A member begins. `offset` is where its content starts, in bytes from the start of the uncompressed archive;
   * `undefined` for a sparse file, whose content doesn't lie there in one piece.
   */
  onHeader(header: TarHeader, offset: number | undefined): void
  /** The next bytes of its content: a view of the pushed chunk. */
  onContent(bytes: Uint8Array): void
  /** The next `size` bytes of its content are zeros that are not in the archive (sparse files only; may be huge). */
  onHole(size: number): void
  /** The member's content is complete. */
  onMemberEnd(): void
}

export interface TarOptions {
  /** How errors call the archive; default `archive`. */
  readonly name?: string
}

/** A parser that is fed. */
export interface TarParser {
  /** Takes the next bytes, in pieces of any size; what follows the end of the archive is ignored. */
  push(chunk: Uint8Array): void
  /** How many of the next bytes are content or padding, which a seekable source needn't read: see `skip`. */
  skippable(): number
  /** Passes over `size` (at most `skippable()`) bytes as if they had been pushed, without `onContent`. */
  skip(size: number): void
  /** Says that no more bytes come. Throws where the archive can't end here. */
  end(): void
}

const globalRecordLimit = 1024

/**
 * Parses an archive synchronously (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). Damaged or truncated input
 * is a `UserError` with member and byte offset. As Docker does, it accepts an archive that ends at a member's end
 * without the two zero blocks. At most one extended header (1 MiB) and one sparse map are held in memory.
 */
export function createTarParser(handlers: TarHandlers, options: TarOptions = {}): TarParser {
  const carry = Buffer.alloc(blockSize)
  const global = new Map<string, Uint8Array>()
  let carried = 0
  let position = 0
  /** Where the member, with its extended headers, begins; -1 between members. */
  let memberStart = -1
  let state: 'block' | 'meta' | 'content' | 'skip' | 'ended' = 'block'
  let remaining = 0
  let skipSize = 0
  let sawZeroBlock = false
  let pending: Omit<Extensions, 'global'> = {}
  let meta: { readonly flag: string; readonly size: number; readonly padded: Buffer } | undefined
  let oldSparse: { readonly raw: RawHeader; readonly extents: Extent[]; readonly fileSize: number } | undefined
  let inlineMap: { readonly member: AssembledMember; readonly reader: SparseMapReader; read: number } | undefined
  let current:
    | { readonly member: AssembledMember; readonly extents?: readonly Extent[]; next: number; at: number }
    | undefined

  function fail({ problem, path }: HeaderProblem): never {
    const name = path ?? pending.longPath
    const at = memberStart === -1 ? position : memberStart
    throw new UserError(
      `${options.name ?? 'archive'}${name === undefined ? '' : `, member ${JSON.stringify(name)}`} at byte ${at}: ${problem}`,
      { hint: 'the archive is damaged or not a tar archive; make or fetch it again' },
    )
  }

  function onBlock(block: Buffer): void {
    if (oldSparse !== undefined) return onSparseExtension(block, oldSparse)
    if (inlineMap !== undefined) return onInlineMap(block, inlineMap)
    if (block[0] === 0 && isZero(block)) return onZeroBlock()
    if (sawZeroBlock) fail({ problem: 'a member follows a zero block' })
    if (memberStart === -1) memberStart = position - blockSize
    const raw = decodeRawHeader(block)
    if ('problem' in raw) {
      if (memberStart === 0 && block.toString('latin1', 257, 262) !== 'ustar')
        fail({ problem: 'this is not a tar archive' })
      fail(raw)
    }
    switch (raw.flag) {
      case 'x':
      case 'X':
      case 'g':
      case 'L':
      case 'K':
        return startMeta(raw)
      case 'S':
        return startOldSparse(block, raw)
      case 'V':
        return skip(raw.size + paddingSize(raw.size))
      case 'M':
        return fail({ problem: 'it continues a member of another volume', path: raw.path })
      default:
        return startMember(raw)
    }
  }

  function onZeroBlock(): void {
    if (memberStart !== -1) fail({ problem: 'the archive ends after an extended header' })
    if (sawZeroBlock) state = 'ended'
    sawZeroBlock = true
  }

  function skip(size: number): void {
    memberStart = -1
    pending = {}
    remaining = size
    skipSize = size
    state = size === 0 ? 'block' : 'skip'
  }

  function startMeta(raw: RawHeader): void {
    if (raw.size > metaLimit) fail({ problem: `its extended header of ${raw.size} bytes is too large`, path: raw.path })
    meta = { flag: raw.flag, size: raw.size, padded: Buffer.alloc(raw.size + paddingSize(raw.size)) }
    remaining = meta.padded.length
    if (remaining === 0) finishMeta(meta)
    else state = 'meta'
  }

  function finishMeta({ flag, padded, size }: NonNullable<typeof meta>): void {
    state = 'block'
    meta = undefined
    const body = padded.subarray(0, size)
    if (flag === 'L' || flag === 'K') {
      const nul = body.indexOf(0)
      const name = decodeName(nul === -1 ? body : body.subarray(0, nul))
      pending = { ...pending, ...(flag === 'L' ? { longPath: name } : { longLink: name }) }
      return
    }
    const records = parsePaxRecords(body)
    if (records === undefined) return fail({ problem: 'a PAX header is malformed' })
    if (flag !== 'g') {
      pending = { ...pending, local: paxMapOf(records) }
      return
    }
    for (const [keyword, value] of paxMapOf(records)) {
      if (value.length === 0) global.delete(keyword)
      else global.set(keyword, value)
    }
    if (global.size > globalRecordLimit) fail({ problem: `more than ${globalRecordLimit} global PAX records` })
    if (pending.local === undefined && pending.longPath === undefined && pending.longLink === undefined)
      memberStart = -1
  }

  function startOldSparse(block: Buffer, raw: RawHeader): void {
    const extents: Extent[] = []
    const fileSize = readNumber(block, 483, 12)
    if (fileSize === undefined || fileSize < 0 || !readOldExtents(block, 386, 4, extents)) {
      return fail({ problem: 'its sparse map is not valid', path: raw.path })
    }
    if (block[482] !== 0) oldSparse = { raw, extents, fileSize }
    else {
      pending = { ...pending, oldSparse: { extents, fileSize } }
      startMember(raw)
    }
  }

  function onSparseExtension(block: Buffer, { raw, extents, fileSize }: NonNullable<typeof oldSparse>): void {
    if (!readOldExtents(block, 0, 21, extents)) fail({ problem: 'its sparse map is not valid', path: raw.path })
    if (block[504] !== 0) return
    oldSparse = undefined
    pending = { ...pending, oldSparse: { extents, fileSize } }
    startMember(raw)
  }

  function startMember(raw: RawHeader): void {
    const member = assembleMember(raw, { global, ...pending })
    if ('problem' in member) return fail(member)
    if (member.sparse === 'inline') {
      inlineMap = { member, reader: createSparseMapReader(), read: 0 }
      return
    }
    startContent(member, member.sparse, member.storedSize)
  }

  function onInlineMap(block: Buffer, map: NonNullable<typeof inlineMap>): void {
    const extents = map.reader.push(block)
    map.read += blockSize
    const { path } = map.member.header
    if (extents === 'malformed' || map.read > map.member.storedSize)
      fail({ problem: 'its sparse map is not valid', path })
    if (extents === undefined) return
    inlineMap = undefined
    startContent(map.member, extents, map.member.storedSize - map.read)
  }

  function startContent(member: AssembledMember, extents: readonly Extent[] | undefined, stored: number): void {
    const { header } = member
    if (extents !== undefined && !isValidSparseMap(extents, header.size, stored)) {
      fail({ problem: 'its sparse map does not fit its size', path: header.path })
    }
    handlers.onHeader(header, extents === undefined ? position : undefined)
    if (header.type !== 'file') {
      handlers.onMemberEnd()
      return skip(stored + paddingSize(stored))
    }
    current = { member, next: 0, at: 0, ...(extents !== undefined && { extents }) }
    remaining = extents === undefined ? stored : 0
    if (remaining > 0) state = 'content'
    else finishPiece(current)
  }

  /** A run of content is complete: goes on to the next extent, or ends the member. */
  function finishPiece(file: NonNullable<typeof current>): void {
    const { extents, member } = file
    while (extents !== undefined && file.next < extents.length) {
      const { offset, size } = extents[file.next++] as Extent
      if (offset > file.at) handlers.onHole(offset - file.at)
      file.at = offset + size
      remaining = size
      if (size > 0) {
        state = 'content'
        return
      }
    }
    if (extents !== undefined && member.header.size > file.at) handlers.onHole(member.header.size - file.at)
    current = undefined
    handlers.onMemberEnd()
    skip(paddingSize(member.storedSize))
  }

  function isUntouchedPadding(): boolean {
    return remaining === skipSize && skipSize < blockSize
  }

  /** Uses bytes of `chunk` from `from`; returns how many. */
  function take(chunk: Buffer, from: number): number {
    const available = chunk.length - from
    if (state === 'block') {
      if (carried === 0 && available >= blockSize) {
        position += blockSize
        onBlock(chunk.subarray(from, from + blockSize))
        return blockSize
      }
      const copied = chunk.copy(carry, carried, from, from + blockSize - carried)
      carried += copied
      position += copied
      if (carried === blockSize) {
        carried = 0
        onBlock(carry)
      }
      return copied
    }
    if (state === 'ended') return available
    const count = Math.min(remaining, available)
    if (state === 'meta' && meta !== undefined) {
      chunk.copy(meta.padded, meta.padded.length - remaining, from, from + count)
    } else if (state === 'content') {
      handlers.onContent(chunk.subarray(from, from + count))
    }
    advance(count)
    return count
  }

  function skippable(): number {
    return state === 'content' || state === 'skip' ? remaining : 0
  }

  /** Goes on in a run of known length. */
  function advance(count: number): void {
    position += count
    remaining -= count
    if (remaining > 0) return
    if (state === 'meta' && meta !== undefined) finishMeta(meta)
    else if (state === 'content' && current !== undefined) finishPiece(current)
    else state = 'block'
  }

  return {
    push(chunk) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      for (let i = 0; i < bytes.length; ) i += take(bytes, i)
    },
    skippable,
    skip(size) {
      if (size < 0 || size > skippable()) throw new Error(`can't skip ${size} bytes of a tar archive here`)
      if (size > 0) advance(size)
    },
    end() {
      if (state === 'ended') return
      const path = current?.member.header.path ?? inlineMap?.member.header.path ?? oldSparse?.raw.path
      const isBetween = state === 'block' ? carried === 0 : state === 'skip' && isUntouchedPadding()
      if (!isBetween || memberStart !== -1)
        fail({ problem: `the archive ends early, after ${position} bytes`, ...(path !== undefined && { path }) })
    },
  }
}

function isZero(block: Buffer): boolean {
  for (let i = 0; i < blockSize; i++) if (block[i] !== 0) return false
  return true
}
