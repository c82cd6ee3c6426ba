import { blockSize } from './blocks.ts'
import { readNumber } from './octal.ts'
import { parsePaxNumber } from './pax-records.ts'

/** A range of a sparse file that has bytes in the archive; everything else of the file is a hole. */
export interface Extent {
  readonly offset: number
  readonly size: number
}

const extentLimit = 1_000_000

/** True when the extents ascend without overlap inside the file and amount to the bytes stored. */
export function isValidSparseMap(extents: readonly Extent[], fileSize: number, storedSize: number): boolean {
  let end = 0
  let stored = 0
  for (const { offset, size } of extents) {
    if (offset < end || offset + size > fileSize) return false
    end = offset + size
    stored += size
  }
  return stored === storedSize
}

/** Extents from `offset,size,offset,size…`, as PAX formats 0.0 and 0.1 give them. */
export function parseSparseList(text: string): Extent[] | undefined {
  if (text === '') return []
  const numbers = text.split(',').map(parsePaxNumber)
  const extents: Extent[] = []
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = numbers[i]
    const size = numbers[i + 1]
    if (offset === undefined || size === undefined) return undefined
    extents.push({ offset, size })
  }
  return extents
}

/**
 * Reads `count` pairs of 12-byte numbers of the old GNU format into `extents`; an empty pair ends them. False when
 * malformed.
 */
export function readOldExtents(block: Buffer, start: number, count: number, extents: Extent[]): boolean {
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i
    if (block[at] === 0 && block[at + 12] === 0) break
    const offset = readNumber(block, at, 12)
    const size = readNumber(block, at + 12, 12)
    if (offset === undefined || size === undefined || offset < 0 || size < 0) return false
    extents.push({ offset, size })
  }
  return extents.length <= extentLimit
}

/** Collects the map that precedes the data in PAX format 1.0: decimal lines, in whole blocks. */
export interface SparseMapReader {
  /** Takes the next block. The extents when it was the last one, `undefined` for "more", `'malformed'` when it can't be. */
  push(block: Buffer): readonly Extent[] | 'malformed' | undefined
}

/** See `SparseMapReader` (GNU tar manual, "PAX Format, Version 1.0"). */
export function createSparseMapReader(): SparseMapReader {
  const numbers: number[] = []
  let expected = 1
  let line = ''
  return {
    push(block) {
      for (let i = 0; i < blockSize && numbers.length < expected; i++) {
        const byte = block[i] as number
        if (byte !== 0x0a) {
          line += String.fromCharCode(byte)
          if (line.length > 20) return 'malformed'
          continue
        }
        const value = parsePaxNumber(line)
        if (value === undefined || (numbers.length === 0 && value > extentLimit)) return 'malformed'
        if (numbers.length === 0) expected = 1 + 2 * value
        numbers.push(value)
        line = ''
      }
      if (numbers.length < expected) return undefined
      const extents: Extent[] = []
      for (let i = 1; i < expected; i += 2) extents.push({ offset: numbers[i] ?? 0, size: numbers[i + 1] ?? 0 })
      return extents
    },
  }
}
