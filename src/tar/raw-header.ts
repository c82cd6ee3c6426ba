import { blockSize, checksum, signedChecksum } from './blocks.ts'
import type { Device } from './header.ts'
import { decodeName } from './name.ts'
import { readNumber } from './octal.ts'

/** The fields of one header block, before long names and PAX records are applied. */
export interface RawHeader {
  /** Type flag as a character; `\0` for the old form of a file. */
  readonly flag: string
  readonly path: string
  readonly link: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly device: Device | undefined
}

/** What is wrong with a header block; `path` where it could be read. */
export interface HeaderProblem {
  readonly problem: string
  readonly path?: string
}

/**
 * Decodes a header block of ustar, old (v7), star or GNU form. Checks the checksum (of unsigned or signed bytes) and
 * that every number is there and in range.
 */
export function decodeRawHeader(block: Buffer): RawHeader | HeaderProblem {
  const sum = readNumber(block, 148, 8)
  if (sum === undefined || (sum !== checksum(block, 0) && sum !== signedChecksum(block, 0))) {
    return { problem: 'the checksum of its header is wrong' }
  }
  const flag = String.fromCharCode(block[156] as number)
  const form = formOf(block)
  const path = readPath(block, form)
  const mode = readNumber(block, 100, 8)
  const uid = readNumber(block, 108, 8)
  const gid = readNumber(block, 116, 8)
  const size = readNumber(block, 124, 12)
  const mtime = readNumber(block, 136, 12)
  if (mode === undefined || mode < 0) return { problem: 'its mode is not a valid number', path }
  if (uid === undefined || uid < 0) return { problem: 'its user id is not a valid number', path }
  if (gid === undefined || gid < 0) return { problem: 'its group id is not a valid number', path }
  if (size === undefined || size < 0) return { problem: 'its size is not a valid number', path }
  if (mtime === undefined) return { problem: 'its time is not a valid number', path }
  let device: Device | undefined
  if (flag === '3' || flag === '4') {
    const major = form === 'old' ? 0 : readNumber(block, 329, 8)
    const minor = form === 'old' ? 0 : readNumber(block, 337, 8)
    if (major === undefined || minor === undefined || major < 0 || minor < 0) {
      return { problem: 'its device is not a valid number', path }
    }
    device = { major, minor }
  }
  return { flag, path, link: readText(block, 157, 100), mode: mode & 0o7777, uid, gid, size, mtime, device }
}

function formOf(block: Buffer): 'ustar' | 'star' | 'gnu' | 'old' {
  if (block.toString('latin1', 257, 262) !== 'ustar') return 'old'
  if (block[262] === 0x20) return 'gnu'
  return block.toString('latin1', 508, blockSize) === 'tar\0' ? 'star' : 'ustar'
}

function readPath(block: Buffer, form: 'ustar' | 'star' | 'gnu' | 'old'): string {
  const name = readText(block, 0, 100)
  if ((form !== 'ustar' && form !== 'star') || block[345] === 0) return name
  return `${readText(block, 345, form === 'star' ? 131 : 155)}/${name}`
}

function readText(block: Buffer, offset: number, width: number): string {
  if (block[offset] === 0) return ''
  let end = offset + 1
  while (end < offset + width && block[end] !== 0) end++
  const text = block.toString('utf8', offset, end)
  return text.includes('\ufffd') ? decodeName(block.subarray(offset, end)) : text
}
