/** Reads bytes of a file at a position, as many as the target takes. */
export type ReadAt = (target: Uint8Array, position: number) => void

/** What a dynamic linker has to know of a program or library (System V ABI, gabi-4+). */
export interface ElfFile {
  readonly bits: 32 | 64
  readonly endian: 'little' | 'big'
  /** e_machine. */
  readonly machine: number
  /** It can be loaded by name: type DYN. */
  readonly isShared: boolean
  /** Absent for what has no name. */
  readonly soname?: string
  /** Names of libraries that it cannot run without. */
  readonly needed: readonly string[]
  /** Directories to look in first, as written. */
  readonly searchPath: readonly string[]
  /** Path of the dynamic linker; absent for libraries. */
  readonly interpreter?: string
}

const headerSize = 64
const tableLimit = 1 << 20

/** Reads a file of `size` bytes; undefined for what is no ELF file or has no dynamic section. */
export function readElf(read: ReadAt, size: number): ElfFile | undefined {
  if (size < headerSize) return undefined
  const header = bytesAt(read, 0, headerSize)
  if (header.readUInt32BE(0) !== 0x7f454c46) return undefined
  const [kind, order] = [header[4], header[5]]
  if ((kind !== 1 && kind !== 2) || (order !== 1 && order !== 2)) return undefined
  const layout: Layout = { wide: kind === 2, little: order === 1 }
  const { wide } = layout
  const u16 = (at: number): number => (layout.little ? header.readUInt16LE(at) : header.readUInt16BE(at))
  const [tableAt, entrySize, count] = [word(header, wide ? 32 : 28, layout), u16(wide ? 54 : 42), u16(wide ? 56 : 44)]
  if (entrySize < (wide ? 56 : 32) || !inside(tableAt, entrySize * count, size)) return undefined
  const table = bytesAt(read, tableAt, entrySize * count)
  const segments = Array.from({ length: count }, (_, i) => segment(table, i * entrySize, layout))
  const dynamic = segments.find(({ type }) => type === 2)
  if (dynamic === undefined || !inside(dynamic.offset, dynamic.size, size)) return undefined
  const entries = dynamicEntries(bytesAt(read, dynamic.offset, dynamic.size), layout)
  const text = stringReader(entries, segments, { read, size })
  if (text === undefined) return undefined
  const texts = (tag: number): string[] => entries.filter(entry => entry.tag === tag).map(entry => text(entry.value))
  const soname = texts(14)[0]
  const interpreter = segments.find(({ type }) => type === 3)
  return {
    bits: wide ? 64 : 32,
    endian: layout.little ? 'little' : 'big',
    machine: u16(18),
    isShared: u16(16) === 3,
    ...(soname !== undefined && { soname }),
    needed: texts(1),
    searchPath: [...texts(29), ...texts(15)].flatMap(text => text.split(':')).filter(text => text !== ''),
    ...(interpreter &&
      inside(interpreter.offset, interpreter.size, size) && {
        interpreter: textAt(bytesAt(read, interpreter.offset, interpreter.size), 0),
      }),
  }
}

interface Layout {
  readonly wide: boolean
  readonly little: boolean
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

interface DynamicEntry {
  readonly tag: number
  readonly value: number
}

function inside(at: number, length: number, size: number): boolean {
  return length > 0 && length <= tableLimit && at + length <= size
}

function bytesAt(read: ReadAt, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  read(bytes, position)
  return bytes
}

/** An address or offset; those that do not fit are no offsets of a file. */
function word(bytes: Buffer, at: number, { wide, little }: Layout): number {
  if (!wide) return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
}

function segment(table: Buffer, at: number, layout: Layout): Segment {
  const { wide, little } = layout
  return {
    type: little ? table.readUInt32LE(at) : table.readUInt32BE(at),
    offset: word(table, at + (wide ? 8 : 4), layout),
    address: word(table, at + (wide ? 16 : 8), layout),
    size: word(table, at + (wide ? 32 : 16), layout),
  }
}

function dynamicEntries(bytes: Buffer, layout: Layout): readonly DynamicEntry[] {
  const step = layout.wide ? 16 : 8
  const entries: DynamicEntry[] = []
  for (let at = 0; at + step <= bytes.length; at += step) {
    const tag = word(bytes, at, layout)
    if (tag === 0) break
    entries.push({ tag, value: word(bytes, at + step / 2, layout) })
  }
  return entries
}

/** Longer names than any file has. */
const textLimit = 4096

/** Reads texts of the string table. DT_STRTAB is an address; the segment that loads it says where in the file it is. */
function stringReader(
  entries: readonly DynamicEntry[],
  segments: readonly Segment[],
  { read, size }: { readonly read: ReadAt; readonly size: number },
): ((at: number) => string) | undefined {
  const address = entries.find(({ tag }) => tag === 5)?.value
  if (address === undefined) return undefined
  const home = segments.find(
    ({ type, address: start, size: bytes }) => type === 1 && address >= start && address < start + bytes,
  )
  if (home === undefined) return undefined
  const table = home.offset + address - home.address
  return at => {
    const start = table + at
    return start >= size ? '' : textAt(bytesAt(read, start, Math.min(textLimit, size - start)), 0)
  }
}

function textAt(strings: Buffer, at: number): string {
  const end = strings.indexOf(0, at)
  return strings.toString('latin1', at, end === -1 ? strings.length : end)
}
