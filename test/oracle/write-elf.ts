/** What a made-up ELF file shall say of itself (ELF gABI, "ELF Header", "Program Header", "Dynamic Section"). */
export interface ElfSetup {
  /** `e_machine`; default: x86-64. */
  readonly machine?: number
  readonly bits?: 32 | 64
  readonly bigEndian?: boolean
  readonly interpreter?: string
  readonly needed?: readonly string[]
  readonly soname?: string
  readonly runpath?: string
  readonly rpath?: string
  /** More strings of the dynamic string table: symbols, versions. */
  readonly names?: readonly string[]
}

export const machines = {
  i386: 3,
  mips: 8,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  amd64: 62,
  arm64: 183,
  riscv64: 243,
} as const

/** A file with headers and tables and no code: enough for whoever reads what a loader reads. */
export function writeElf(setup: ElfSetup): Buffer {
  const { machine = machines.amd64, bits = 64, bigEndian = false, interpreter, needed = [] } = setup
  const word = bits / 8
  const strings = ['', ...needed, setup.soname ?? '', setup.runpath ?? '', setup.rpath ?? '', ...(setup.names ?? [])]
  const offsets = new Map<string, number>()
  let table = Buffer.alloc(0)
  for (const text of strings) {
    if (!offsets.has(text)) offsets.set(text, table.length)
    table = Buffer.concat([table, Buffer.from(`${text}\0`)])
  }
  const isDynamic = needed.length > 0 || interpreter !== undefined || setup.soname !== undefined
  const [header, segment] = bits === 64 ? [64, 56] : [52, 32]
  const count = isDynamic ? (interpreter === undefined ? 2 : 3) : 1
  const interpAt = header + segment * count
  const interp = Buffer.from(interpreter === undefined ? '' : `${interpreter}\0`)
  const tableAt = interpAt + interp.length
  const dynamicAt = Math.ceil((tableAt + table.length) / 16) * 16
  const at = (text: string): number => offsets.get(text) ?? 0
  const dynamic: (readonly [tag: number, value: number])[] = [
    ...needed.map(name => [1, at(name)] as const),
    [5, tableAt],
    [10, table.length],
    ...(setup.soname === undefined ? [] : [[14, at(setup.soname)] as const]),
    ...(setup.rpath === undefined ? [] : [[15, at(setup.rpath)] as const]),
    ...(setup.runpath === undefined ? [] : [[29, at(setup.runpath)] as const]),
    [0, 0],
  ]
  const dynamicSize = dynamic.length * 2 * word
  const whole = Buffer.alloc(dynamicAt + dynamicSize)
  const half = (value: number, to: number): unknown =>
    bigEndian ? whole.writeUInt16BE(value, to) : whole.writeUInt16LE(value, to)
  const int = (value: number, to: number): unknown =>
    bigEndian ? whole.writeUInt32BE(value, to) : whole.writeUInt32LE(value, to)
  const long = (value: number, to: number): unknown => {
    if (bits === 32) return int(value, to)
    return bigEndian ? whole.writeBigUInt64BE(BigInt(value), to) : whole.writeBigUInt64LE(BigInt(value), to)
  }
  whole.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, bigEndian ? 2 : 1, 1])
  half(3, 16)
  half(machine, 18)
  int(1, 20)
  long(header, 24 + word)
  half(header, bits === 64 ? 52 : 40)
  half(segment, bits === 64 ? 54 : 42)
  half(count, bits === 64 ? 56 : 44)
  const putSegment = (index: number, type: number, { from, size }: { from: number; size: number }): void => {
    const to = header + segment * index
    int(type, to)
    const fields = bits === 64 ? [8, 16, 24, 32, 40] : [4, 8, 12, 16, 20]
    for (const [i, value] of [from, from, from, size, size].entries()) long(value, to + (fields[i] ?? 0))
  }
  putSegment(0, 1, { from: 0, size: whole.length })
  if (isDynamic) putSegment(1, 2, { from: dynamicAt, size: dynamicSize })
  if (interpreter !== undefined) putSegment(2, 3, { from: interpAt, size: interp.length })
  interp.copy(whole, interpAt)
  table.copy(whole, tableAt)
  if (isDynamic) {
    for (const [i, [tag, value]] of dynamic.entries()) {
      long(tag, dynamicAt + i * 2 * word)
      long(value, dynamicAt + i * 2 * word + word)
    }
  }
  return whole
}
