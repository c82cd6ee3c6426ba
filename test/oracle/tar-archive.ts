/**
 * A second, deliberately plain reader and writer of tar archives, so that what Slipway's own codec writes is judged by
 * other eyes. Whole archives in memory: for samples, not for work.
 */

export type MemberKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'char' | 'block'

export interface Member {
  /** Without leading `./` or `/` and without trailing slash; the root is the empty string. */
  readonly path: string
  readonly kind: MemberKind
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  readonly body: Buffer
  readonly link?: string
  readonly device?: readonly [number, number]
  readonly xattrs?: Readonly<Record<string, Buffer>>
}

const blockSize = 512
const kinds: Readonly<Record<string, MemberKind>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
}

/** Members in archive order: ustar, PAX records, GNU long names and binary numbers. Throws on anything else. */
export function readArchive(archive: Buffer): Member[] {
  const members: Member[] = []
  let pax = new Map<string, Buffer>()
  let longName: Buffer | undefined
  let longLink: Buffer | undefined
  for (let at = 0; at + blockSize <= archive.length; ) {
    const header = archive.subarray(at, at + blockSize)
    if (header.every(byte => byte === 0)) break
    verifyChecksum(header, at)
    const flag = String.fromCharCode(header[156] ?? 0)
    const size = Number(pax.get('size')?.toString() ?? number(header.subarray(124, 136)))
    const body = archive.subarray(at + blockSize, at + blockSize + size)
    if (body.length < size) throw new Error(`archive ends inside the member at byte ${at}`)
    at += blockSize + Math.ceil(size / blockSize) * blockSize
    if (flag === 'x') pax = paxRecords(body)
    else if (flag === 'L') longName = untilNul(body)
    else if (flag === 'K') longLink = untilNul(body)
    else if (flag !== 'g') {
      members.push(toMember(header, flag, body, { pax, longName, longLink }))
      pax = new Map()
      longName = undefined
      longLink = undefined
    }
  }
  return members
}

interface Extensions {
  readonly pax: ReadonlyMap<string, Buffer>
  readonly longName: Buffer | undefined
  readonly longLink: Buffer | undefined
}

function toMember(header: Buffer, flag: string, body: Buffer, { pax, longName, longLink }: Extensions): Member {
  const kind = kinds[flag]
  if (kind === undefined) throw new Error(`unknown member type ${JSON.stringify(flag)}`)
  const rawPath = pax.get('path') ?? longName ?? headerName(header)
  const rawLink = pax.get('linkpath') ?? longLink ?? untilNul(header.subarray(157, 257))
  const xattrs = Object.fromEntries(
    [...pax].flatMap(([key, value]) => (key.startsWith('SCHILY.xattr.') ? [[key.slice(13), value]] : [])),
  )
  const isDevice = kind === 'char' || kind === 'block'
  return {
    path: cleanPath(text(rawPath)),
    kind,
    mode: number(header.subarray(100, 108)) & 0o7777,
    uid: Number(pax.get('uid')?.toString() ?? number(header.subarray(108, 116))),
    gid: Number(pax.get('gid')?.toString() ?? number(header.subarray(116, 124))),
    mtime: Math.floor(Number(pax.get('mtime')?.toString() ?? number(header.subarray(136, 148)))),
    body: kind === 'file' ? body : Buffer.alloc(0),
    ...(kind === 'symlink' ? { link: text(rawLink) } : {}),
    ...(kind === 'hardlink' ? { link: cleanPath(text(rawLink)) } : {}),
    ...(isDevice ? { device: [number(header.subarray(329, 337)), number(header.subarray(337, 345))] as const } : {}),
    ...(Object.keys(xattrs).length > 0 ? { xattrs } : {}),
  }
}

function verifyChecksum(header: Buffer, at: number): void {
  let sum = 0
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 32 : byte
  if (sum !== number(header.subarray(148, 156))) throw new Error(`wrong header checksum at byte ${at}`)
}

function headerName(header: Buffer): Buffer {
  const name = untilNul(header.subarray(0, 100))
  const isUstar = header.subarray(257, 263).toString('latin1') === 'ustar\0'
  const prefix = isUstar ? untilNul(header.subarray(345, 500)) : Buffer.alloc(0)
  return prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name
}

function paxRecords(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at)
    const end = at + Number(body.subarray(at, blank).toString())
    const equals = body.indexOf(0x3d, blank)
    records.set(body.subarray(blank + 1, equals).toString(), body.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

function number(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const bits = field.length * 8
    return Number(BigInt.asIntN(bits - 1, BigInt(`0x${field.toString('hex')}`)))
  }
  const digits = untilNul(field).toString('latin1').trim()
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function untilNul(field: Buffer): Buffer {
  const end = field.indexOf(0)
  return end < 0 ? field : field.subarray(0, end)
}

/** Bytes that are not UTF-8 become `\xNN`, so that every name is one printable string. */
function text(bytes: Buffer): string {
  const decoded = bytes.toString('utf8')
  if (Buffer.from(decoded, 'utf8').equals(bytes)) return decoded
  return [...bytes].map(b => (b < 0x80 ? String.fromCharCode(b) : `\\x${b.toString(16)}`)).join('')
}

function cleanPath(path: string): string {
  return path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/')
}

/** A ustar archive (PAX records only for xattrs) of members in the order given. Throws where a value does not fit. */
export function writeArchive(members: readonly Member[]): Buffer {
  const chunks: Buffer[] = []
  for (const member of members) {
    const pax = Object.entries(member.xattrs ?? {}).map(([key, value]) => paxRecord(`SCHILY.xattr.${key}`, value))
    if (pax.length > 0) chunks.push(...block({ ...plain, path: 'PaxHeaders', body: Buffer.concat(pax) }, 'x'))
    chunks.push(...block(member, flagOf(member.kind)))
  }
  chunks.push(Buffer.alloc(2 * blockSize))
  return Buffer.concat(chunks)
}

const plain: Omit<Member, 'path' | 'body'> = { kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 }

function flagOf(kind: MemberKind): string {
  const found = Object.entries(kinds).find(([flag, value]) => flag !== '\0' && value === kind)
  if (found === undefined) throw new Error(`no type flag for ${kind}`)
  return found[0]
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function block(member: Member, flag: string): Buffer[] {
  const header = Buffer.alloc(blockSize)
  const put = (offset: number, length: number, value: string): void => {
    const bytes = Buffer.from(value)
    if (bytes.length > length)
      throw new Error(`${member.path}: ${JSON.stringify(value)} does not fit into ${length} bytes`)
    bytes.copy(header, offset)
  }
  const octal = (offset: number, length: number, value: number): void =>
    put(offset, length - 1, value.toString(8).padStart(length - 1, '0'))
  put(0, 100, member.kind === 'directory' ? `${member.path === '' ? '.' : member.path}/` : member.path)
  octal(100, 8, member.mode)
  octal(108, 8, member.uid)
  octal(116, 8, member.gid)
  octal(124, 12, member.body.length)
  octal(136, 12, member.mtime)
  put(148, 8, '        ')
  put(156, 1, flag)
  put(157, 100, member.link ?? '')
  put(257, 8, 'ustar\x0000')
  octal(329, 8, member.device?.[0] ?? 0)
  octal(337, 8, member.device?.[1] ?? 0)
  let sum = 0
  for (const byte of header) sum += byte
  put(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `)
  const padding = (blockSize - (member.body.length % blockSize)) % blockSize
  return [header, member.body, Buffer.alloc(padding)]
}
