import { UserError } from '#diagnostics'
import { blockSize, checksum, metaLimit, paddingSize } from './blocks.ts'
import type { MemberType, TarHeader } from './header.ts'
import { encodeName } from './name.ts'
import { octalLimit, writeOctal } from './octal.ts'
import { formatPaxRecord, formatPaxTime } from './pax-records.ts'

const typeFlags: Readonly<Record<MemberType, number>> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
}

const smallLimit = octalLimit(8)
const largeLimit = octalLimit(12)
const paxFlag = 0x78

/** Zero ids and times, magic and version of ustar, and zero device numbers as everybody writes them. */
const template = makeTemplate()

function makeTemplate(): Buffer {
  const block = Buffer.alloc(blockSize)
  for (const offset of [100, 108, 116, 329, 337]) writeOctal(block, offset, 8, 0)
  for (const offset of [124, 136]) writeOctal(block, offset, 12, 0)
  block.write('ustar\x0000', 257, 'latin1')
  return block
}

/** A PAX record to write; a text is ASCII. */
type PaxEntry = readonly [keyword: string, value: string | Uint8Array]

/** A path or link target: what goes into the block, and what PAX has to hold instead. */
interface NameField {
  /** At most 100 ASCII characters, or bytes. */
  readonly name: string | Uint8Array
  readonly prefix?: Uint8Array
  readonly pax?: Uint8Array
  readonly isBinary?: boolean
}

/**
 * The header of one member: a ustar block (POSIX.1-2017, pax, "ustar Interchange Format"), preceded by a PAX header
 * where a value does not fit: long or non-ASCII names, ids above 07777777, sizes from 8 GiB, times below a second,
 * before 1970 or after 2242, extended attributes (as `SCHILY.xattr.*`). The same header always gives the same bytes.
 * Ids are numeric, user and group names stay empty. A directory's path gets its trailing slash; the empty path of a
 * directory is the root, written `./`. Throws a `UserError` that names member and value where no form can hold it.
 */
export function encodeTarHeader(header: TarHeader): Buffer {
  checkHeader(header)
  const path = header.type !== 'directory' ? header.path : header.path === '' ? './' : `${header.path}/`
  const pathField = isShortAscii(path) ? { name: path } : longField(path, true)
  const link = header.link ?? ''
  const linkField = isShortAscii(link) ? { name: link } : longField(link, false)
  const records = paxRecords(header, pathField, linkField)
  if (records.length === 0) {
    const block = Buffer.allocUnsafe(blockSize)
    writeBlock(block, 0, header, pathField, linkField)
    return block
  }
  return encodeWithPax(header, path, records, pathField, linkField)
}

function writeBlock(buffer: Buffer, at: number, header: TarHeader, path: NameField, link: NameField): void {
  const { uid, gid, size, mtime, device } = header
  buffer.set(template, at)
  writeName(buffer, at, path.name)
  writeOctal(buffer, at + 100, 8, header.mode)
  if (uid <= smallLimit) writeOctal(buffer, at + 108, 8, uid)
  if (gid <= smallLimit) writeOctal(buffer, at + 116, 8, gid)
  if (size <= largeLimit) writeOctal(buffer, at + 124, 12, size)
  if (isOctalTime(mtime.seconds)) writeOctal(buffer, at + 136, 12, mtime.seconds)
  buffer[at + 156] = typeFlags[header.type]
  if (link.name !== '') writeName(buffer, at + 157, link.name)
  if (device !== undefined) {
    writeOctal(buffer, at + 329, 8, device.major)
    writeOctal(buffer, at + 337, 8, device.minor)
  }
  if (path.prefix !== undefined) buffer.set(path.prefix, at + 345)
  writeChecksum(buffer, at)
}

function writeName(buffer: Buffer, at: number, name: string | Uint8Array): void {
  if (typeof name !== 'string') buffer.set(name, at)
  else for (let i = 0; i < name.length; i++) buffer[at + i] = name.charCodeAt(i)
}

function writeChecksum(buffer: Buffer, at: number): void {
  writeOctal(buffer, at + 148, 7, checksum(buffer, at))
  buffer[at + 155] = 0x20
}

function isShortAscii(name: string): boolean {
  if (name.length > 100) return false
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false
  return true
}

function isOctalTime(seconds: number): boolean {
  return seconds >= 0 && seconds <= largeLimit
}

/** A name that is long or not ASCII. One that is not UTF-8 stays out of PAX while it fits: a block has no charset. */
function longField(name: string, mayBeSplit: boolean): NameField {
  const bytes = encodeName(name)
  const isAscii = !bytes.some(byte => byte > 0x7f)
  const isBinary = !isAscii && !bytes.equals(Buffer.from(bytes.toString('utf8'), 'utf8'))
  if ((isAscii || isBinary) && bytes.length <= 100) return { name: bytes }
  if (mayBeSplit && (isAscii || isBinary) && bytes.length <= 256) {
    const slash = bytes.lastIndexOf(0x2f, Math.min(155, bytes.length - 2))
    if (slash > 0 && bytes.length - slash - 1 <= 100) {
      return { name: bytes.subarray(slash + 1), prefix: bytes.subarray(0, slash) }
    }
  }
  return { name: asciiOnly(bytes).subarray(0, 100), pax: bytes, isBinary }
}

/** What the block can't hold, sorted by keyword. */
function paxRecords(header: TarHeader, path: NameField, link: NameField): readonly PaxEntry[] {
  const { uid, gid, size, mtime, xattrs } = header
  const records: PaxEntry[] = []
  if (xattrs !== undefined) for (const [name, value] of xattrs) records.push([`SCHILY.xattr.${name}`, value])
  if (gid > smallLimit) records.push(['gid', String(gid)])
  if (path.isBinary === true || link.isBinary === true) records.push(['hdrcharset', 'BINARY'])
  if (link.pax !== undefined) records.push(['linkpath', link.pax])
  if (mtime.nanoseconds !== 0 || !isOctalTime(mtime.seconds)) records.push(['mtime', formatPaxTime(mtime)])
  if (path.pax !== undefined) records.push(['path', path.pax])
  if (size > largeLimit) records.push(['size', String(size)])
  if (uid > smallLimit) records.push(['uid', String(uid)])
  return xattrs === undefined ? records : records.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** PAX header block, records, padding, header block. */
function encodeWithPax(
  header: TarHeader,
  path: string,
  records: readonly PaxEntry[],
  ...fields: [path: NameField, link: NameField]
): Buffer {
  const content = records.map(([keyword, value]) => formatPaxRecord(keyword, value))
  let size = 0
  for (const record of content) size += record.length
  if (size > metaLimit) {
    throw new UserError(
      `a tar archive can't hold ${JSON.stringify(path)}: its name and extended attributes take ${size} bytes`,
      { hint: `readers take at most ${metaLimit} bytes; remove attributes or leave the file out` },
    )
  }
  const buffer = Buffer.allocUnsafe(2 * blockSize + size + paddingSize(size))
  buffer.set(template)
  const slash = path.lastIndexOf('/', path.length - 2) + 1
  writeName(buffer, 0, paxName(path.slice(0, slash), path.slice(slash)))
  writeOctal(buffer, 124, 12, size)
  buffer[156] = paxFlag
  writeChecksum(buffer, 0)
  let at = blockSize
  for (const record of content) {
    writeName(buffer, at, record)
    at += record.length
  }
  buffer.fill(0, at, blockSize + size + paddingSize(size))
  writeBlock(buffer, blockSize + size + paddingSize(size), header, ...fields)
  return buffer
}

/** The name by which readers without PAX see the extended header. */
function paxName(directory: string, base: string): string {
  const name = `${directory}PaxHeaders.0/${base.endsWith('/') ? base.slice(0, -1) : base}`
  return (isShortAscii(name) ? name : name.replace(/[\u0080-\uffff]/g, '')).slice(0, 100)
}

function asciiOnly(bytes: Buffer): Buffer {
  return bytes.filter(byte => byte < 0x80) as Buffer
}

function checkHeader(header: TarHeader): void {
  const { type, device, link, mtime } = header
  const isLink = type === 'symlink' || type === 'hardlink'
  if (header.path === '' && type !== 'directory') throw unfit(header, 'path', '')
  if (header.path.includes('\0') || header.path.endsWith('/')) throw unfit(header, 'path', header.path)
  if (isLink ? link === undefined || link === '' || link.includes('\0') : link !== undefined) {
    throw unfit(header, 'link', link)
  }
  if (!inRange(header.mode, 0o7777)) throw unfit(header, 'mode', header.mode)
  if (!inRange(header.uid, Number.MAX_SAFE_INTEGER)) throw unfit(header, 'uid', header.uid)
  if (!inRange(header.gid, Number.MAX_SAFE_INTEGER)) throw unfit(header, 'gid', header.gid)
  if (!inRange(header.size, type === 'file' ? Number.MAX_SAFE_INTEGER : 0)) throw unfit(header, 'size', header.size)
  if (!inRange(Math.abs(mtime.seconds), 999_999_999_999_999)) throw unfit(header, 'mtime', mtime.seconds)
  if (!inRange(mtime.nanoseconds, 999_999_999)) throw unfit(header, 'mtime nanoseconds', mtime.nanoseconds)
  if (type === 'char' || type === 'block') {
    if (!inRange(device?.major, smallLimit)) throw unfit(header, 'device major', device?.major)
    if (!inRange(device?.minor, smallLimit)) throw unfit(header, 'device minor', device?.minor)
  } else if (device !== undefined) throw unfit(header, 'device', JSON.stringify(device))
  if (header.xattrs === undefined) return
  for (const name of header.xattrs.keys()) {
    if (name === '' || name.includes('=') || name.includes('\0')) throw unfit(header, 'extended attribute', name)
  }
}

function inRange(value: number | undefined, limit: number): boolean {
  return value !== undefined && value >= 0 && value <= limit && Number.isInteger(value)
}

function unfit(header: TarHeader, field: string, value: unknown): UserError {
  return new UserError(
    `a tar archive can't hold the ${header.type} ${JSON.stringify(header.path)}: its ${field} is ${JSON.stringify(value) ?? 'missing'}`,
    { hint: 'change the file or leave it out' },
  )
}
