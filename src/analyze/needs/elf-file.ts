import { openContentReader } from '#layer'
import type { Entry } from '#tree'

/** What the dynamic loader reads of a program or library (ELF gABI, "Program Loading and Dynamic Linking"). */
export interface ElfFile {
  readonly bits: 32 | 64
  readonly littleEndian: boolean
  /** `e_machine`. */
  readonly machine: number
  /** `e_type`: 2 is an executable, 3 a shared object or position-independent executable. */
  readonly type: number
  /** PT_INTERP: the dynamic loader it asks for. */
  readonly interpreter?: string
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[]
  readonly soname?: string
  /** DT_RPATH and DT_RUNPATH, split at colons. */
  readonly rpath: readonly string[]
  readonly runpath: readonly string[]
  /** Names in its dynamic string table: what it imports and exports, versions, file names. */
  readonly names: () => ReadonlySet<string>
}

/** Reads bytes of a file at a position. */
export type ReadAt = (position: number, length: number) => Buffer

/** Larger tables are those of no real program; a hostile file must not make us read gigabytes. */
const largestTable = 32 << 20

/** An ELF file of a tree; undefined for any other file, or one that is damaged. */
export function readElf(entry: Entry): ElfFile | undefined {
  if (entry.type !== 'file' || entry.source === undefined || entry.size < 52) return undefined
  using reader = openContentReader()
  using content = reader.open(entry)
  const readAt: ReadAt = (position, length) => {
    if (position < 0 || length < 0 || length > largestTable || position + length > entry.size) throw new DamagedElf()
    const bytes = Buffer.allocUnsafe(length)
    content.read(bytes, position)
    return bytes
  }
  try {
    return parseElf(readAt)
  } catch (error) {
    if (error instanceof DamagedElf || error instanceof RangeError) return undefined
    throw error
  }
}

class DamagedElf extends Error {}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
}

/** Undefined where the magic bytes are others. Throws for damage. */
export function parseElf(readAt: ReadAt): ElfFile | undefined {
  const ident = readAt(0, 52)
  if (ident.readUInt32BE(0) !== 0x7f454c46) return undefined
  const bits = ident[4] === 2 ? 64 : 32
  const littleEndian = ident[5] !== 2
  const header = bits === 64 ? readAt(0, 64) : ident
  const at = numbers(header, { bits, littleEndian })
  const segments = readSegments(readAt, {
    offset: at.word(bits === 64 ? 32 : 28),
    size: at.half(bits === 64 ? 54 : 42),
    count: at.half(bits === 64 ? 56 : 44),
    bits,
    littleEndian,
  })
  const interp = segments.find(({ type }) => type === 3)
  const dynamic = segments.find(({ type }) => type === 2)
  const common = { bits, littleEndian, machine: at.half(18), type: at.half(16) } as const
  const interpreter = interp && cString(readAt(interp.offset, Math.min(interp.fileSize, 4096)), 0)
  const empty = { needed: [], rpath: [], runpath: [], names: none }
  return {
    ...common,
    ...(interpreter !== undefined && { interpreter }),
    ...(dynamic ? readDynamic(readAt, dynamic, { segments, bits, littleEndian }) : empty),
  }
}

interface Form {
  readonly bits: 32 | 64
  readonly littleEndian: boolean
}

/** Readers of half words, words and addresses in the file's byte order. */
function numbers(bytes: Buffer, { bits, littleEndian }: Form) {
  const half = (at: number): number => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const int = (at: number): number => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const long = (at: number): number => Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  return { half, int, word: bits === 64 ? long : int }
}

function readSegments(
  readAt: ReadAt,
  { offset, size, count, ...form }: Form & { offset: number; size: number; count: number },
): Segment[] {
  const is64 = form.bits === 64
  if (count === 0) return []
  const table = readAt(offset, size * count)
  return Array.from({ length: count }, (_, i) => {
    const at = numbers(table.subarray(i * size, (i + 1) * size), form)
    return {
      type: at.int(0),
      offset: at.word(is64 ? 8 : 4),
      address: at.word(is64 ? 16 : 8),
      fileSize: at.word(is64 ? 32 : 16),
    }
  })
}

const tags = { needed: 1, strtab: 5, strsz: 10, soname: 14, rpath: 15, runpath: 29 } as const

function readDynamic(
  readAt: ReadAt,
  dynamic: Segment,
  { segments, ...form }: Form & { readonly segments: readonly Segment[] },
): Pick<ElfFile, 'needed' | 'soname' | 'rpath' | 'runpath' | 'names'> {
  const table = readAt(dynamic.offset, dynamic.fileSize)
  const size = form.bits === 64 ? 16 : 8
  const found: [tag: number, value: number][] = []
  for (let at = 0; at + size <= table.length; at += size) {
    const read = numbers(table.subarray(at, at + size), form)
    const tag = read.word(0)
    if (tag === 0) break
    found.push([tag, read.word(size / 2)])
  }
  const first = (wanted: number): number | undefined => found.find(([tag]) => tag === wanted)?.[1]
  const address = first(tags.strtab)
  const load = segments.find(
    ({ type, address: start, fileSize }) =>
      type === 1 && address !== undefined && address >= start && address < start + fileSize,
  )
  if (address === undefined || !load) return { needed: [], rpath: [], runpath: [], names: none }
  const strings = readAt(address - load.address + load.offset, first(tags.strsz) ?? 0)
  const text = (offset: number): string => cString(strings, offset)
  const paths = (wanted: number): readonly string[] =>
    found.filter(([tag]) => tag === wanted).flatMap(([, value]) => text(value).split(':'))
  const soname = first(tags.soname)
  return {
    needed: found.filter(([tag]) => tag === tags.needed).map(([, value]) => text(value)),
    ...(soname !== undefined && { soname: text(soname) }),
    rpath: paths(tags.rpath),
    runpath: paths(tags.runpath),
    names: lazily(() => new Set(strings.toString('latin1').split('\0'))),
  }
}

const none = (): ReadonlySet<string> => new Set()

/** Most files are only asked for their NEEDED. */
function lazily(make: () => ReadonlySet<string>): () => ReadonlySet<string> {
  let made: ReadonlySet<string> | undefined
  return () => (made ??= make())
}

function cString(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset)
  return bytes.toString('utf8', offset, end === -1 ? bytes.length : end)
}
