import type { MemberType, TarHeader, Time } from './header.ts'
import { decodeName } from './name.ts'
import { type PaxRecord, parsePaxNumber, parsePaxTime } from './pax-records.ts'
import type { HeaderProblem, RawHeader } from './raw-header.ts'
import { type Extent, parseSparseList } from './sparse-map.ts'

/** PAX records by keyword; the repeated ones of sparse format 0.0 are joined into `GNU.sparse.map`. */
export type PaxMap = ReadonlyMap<string, Uint8Array>

/** What precedes a member's own header block. */
export interface Extensions {
  readonly global: PaxMap
  readonly local?: PaxMap
  /** GNU `L` and `K` members. */
  readonly longPath?: string
  readonly longLink?: string
  /** GNU `S` members: the map and the size of the whole file. */
  readonly oldSparse?: { readonly extents: readonly Extent[]; readonly fileSize: number }
}

/** A member with everything applied. */
export interface AssembledMember {
  readonly header: TarHeader
  /** Bytes that follow in the archive, without padding. */
  readonly storedSize: number
  /** A sparse file's map, or `'inline'` where the map precedes the data. */
  readonly sparse: readonly Extent[] | 'inline' | undefined
}

const memberTypes: Readonly<Record<string, MemberType>> = {
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  D: 'directory',
}

const noRecords: PaxMap = new Map()

/** Joins the records of one PAX header; a later record of the same keyword wins. */
export function paxMapOf(records: readonly PaxRecord[]): Map<string, Uint8Array> {
  const map = new Map<string, Uint8Array>()
  const pairs: string[] = []
  for (const [keyword, value] of records) {
    if (keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes') pairs.push(textOf(value))
    else map.set(keyword, value)
  }
  if (pairs.length > 0) map.set('GNU.sparse.map', Buffer.from(pairs.join(','), 'latin1'))
  return map
}

/** Applies what precedes a header block to it. */
export function assembleMember(raw: RawHeader, extensions: Extensions): AssembledMember | HeaderProblem {
  const { global, local = noRecords } = extensions
  const record = (keyword: string) => {
    const value = local.get(keyword) ?? global.get(keyword)
    return value === undefined || value.length === 0 ? undefined : value
  }
  if (global.size === 0 && local.size === 0)
    return finish(raw, extensions, raw.size, timeOf(raw.mtime), undefined, record)

  const path = extensions.longPath ?? nameOf(record('path')) ?? raw.path
  const number = (keyword: string, fallback: number) => {
    const value = record(keyword)
    return value === undefined ? fallback : parsePaxNumber(textOf(value))
  }
  const uid = number('uid', raw.uid)
  const gid = number('gid', raw.gid)
  const size = number('size', raw.size)
  const mtimeText = record('mtime')
  const mtime = mtimeText === undefined ? timeOf(raw.mtime) : parsePaxTime(textOf(mtimeText))
  if (uid === undefined) return { problem: 'its PAX user id is not a valid number', path }
  if (gid === undefined) return { problem: 'its PAX group id is not a valid number', path }
  if (size === undefined) return { problem: 'its PAX size is not a valid number', path }
  if (mtime === undefined) return { problem: 'its PAX time is not a valid time', path }
  const link = nameOf(record('linkpath')) ?? raw.link
  return finish({ ...raw, path, link, uid, gid }, extensions, size, mtime, xattrsOf(global, local), record)
}

function finish(
  raw: RawHeader,
  extensions: Extensions,
  size: number,
  mtime: Time,
  xattrs: ReadonlyMap<string, Uint8Array> | undefined,
  record: (keyword: string) => Uint8Array | undefined,
): AssembledMember | HeaderProblem {
  const sparse = sparseOf(extensions, record)
  const written = extensions.longPath ?? sparse?.path ?? raw.path
  const link = extensions.longLink ?? raw.link
  if (written === '') return { problem: 'its name is empty' }
  if (written.includes('\0') || link.includes('\0')) return { problem: 'its name contains a NUL', path: written }
  const isDirectory = raw.flag === '\0' && written.endsWith('/')
  const type = isDirectory ? 'directory' : (memberTypes[raw.flag] ?? 'file')
  const path = written.endsWith('/') ? written.replace(/\/+$/, '') : written
  if (path === '' && type !== 'directory') return { problem: 'its name is only slashes' }
  if (type === 'file' && sparse?.problem !== undefined) return { problem: sparse.problem, path }
  const isLink = type === 'symlink' || type === 'hardlink'
  const header: TarHeader = {
    path,
    type,
    mode: raw.mode,
    uid: raw.uid,
    gid: raw.gid,
    size: type === 'file' ? (sparse?.fileSize ?? size) : 0,
    mtime,
    ...(isLink && { link }),
    ...(raw.device !== undefined && { device: raw.device }),
    ...(xattrs !== undefined && { xattrs }),
  }
  const storedSize = type === 'file' || raw.flag === 'D' ? size : 0
  return { header, storedSize, sparse: type === 'file' ? sparse?.map : undefined }
}

interface SparseFields {
  readonly map?: readonly Extent[] | 'inline'
  readonly fileSize?: number
  readonly path?: string
  readonly problem?: string
}

/** GNU's sparse formats: the old one, and 0.0, 0.1 and 1.0 in PAX records (GNU tar manual, "Storing Sparse Files"). */
function sparseOf(
  extensions: Extensions,
  record: (keyword: string) => Uint8Array | undefined,
): SparseFields | undefined {
  if (extensions.oldSparse !== undefined) {
    return { map: extensions.oldSparse.extents, fileSize: extensions.oldSparse.fileSize }
  }
  if (extensions.local === undefined) return undefined
  const text = (keyword: string) => {
    const value = record(keyword)
    return value === undefined ? undefined : textOf(value)
  }
  const isInline = text('GNU.sparse.major') === '1' && text('GNU.sparse.minor') === '0'
  const list = text('GNU.sparse.map')
  if (!isInline && list === undefined) return undefined
  const path = nameOf(record('GNU.sparse.name'))
  const fileSize = parsePaxNumber(text('GNU.sparse.realsize') ?? text('GNU.sparse.size') ?? '')
  if (fileSize === undefined) return { problem: 'its sparse size is missing or not a valid number' }
  const map = isInline ? 'inline' : parseSparseList(list ?? '')
  if (map === undefined) return { problem: 'its sparse map is not valid' }
  return { map, fileSize, ...(path !== undefined && { path }) }
}

const schily = 'SCHILY.xattr.'
const libarchive = 'LIBARCHIVE.xattr.'

/** Extended attributes as star (and GNU tar, Go) or libarchive write them; star's form wins. */
function xattrsOf(global: PaxMap, local: PaxMap): ReadonlyMap<string, Uint8Array> | undefined {
  let found: Map<string, Uint8Array> | undefined
  for (const records of [global, local]) {
    for (const [keyword, value] of records) {
      if (keyword.startsWith(libarchive)) {
        const name = decodePercent(keyword.slice(libarchive.length))
        const bytes = Buffer.from(textOf(value), 'base64')
        if (name !== '' && !local.has(schily + name) && !global.has(schily + name))
          (found ??= new Map()).set(name, bytes)
      } else if (keyword.startsWith(schily) && keyword.length > schily.length) {
        ;(found ??= new Map()).set(keyword.slice(schily.length), value)
      }
    }
  }
  return found === undefined ? undefined : new Map([...found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text
  const bytes = Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  )
  return decodeName(bytes)
}

function timeOf(seconds: number): Time {
  return { seconds, nanoseconds: 0 }
}

function nameOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : decodeName(value)
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
}
