import { decodeName, encodeName } from './name.ts'

/** One record of a PAX header: a keyword and its bytes. */
export type PaxRecord = readonly [keyword: string, value: Uint8Array]

/**
 * `length keyword=value\n`, where the length counts itself (POSIX.1-2017, pax, "pax Extended Header"). A text when
 * everything is ASCII, which a value given as text has to be.
 */
export function formatPaxRecord(keyword: string, value: string | Uint8Array): string | Buffer {
  if (typeof value === 'string') return `${recordLength(keyword.length + value.length)} ${keyword}=${value}\n`
  const name = encodeName(keyword)
  const length = recordLength(name.length + value.length)
  return Buffer.concat([Buffer.from(`${length} `), name, Buffer.from('='), value, Buffer.from('\n')], length)
}

function recordLength(size: number): number {
  const rest = size + 3
  const length = rest + String(rest).length
  return rest + String(length).length
}

/** The records of a PAX header's content, in order; the values are views. `undefined` when it is malformed. */
export function parsePaxRecords(content: Buffer): PaxRecord[] | undefined {
  const records: PaxRecord[] = []
  for (let start = 0; start < content.length; ) {
    let i = start
    let length = 0
    for (; i < content.length && i - start < 8; i++) {
      const digit = (content[i] ?? 0) - 48
      if (digit < 0 || digit > 9) break
      length = length * 10 + digit
    }
    const end = start + length
    if (i === start || content[i] !== 0x20 || end > content.length || content[end - 1] !== 0x0a) return undefined
    const equals = content.indexOf(0x3d, i + 1)
    if (equals <= i + 1 || equals >= end - 1) return undefined
    records.push([decodeName(content.subarray(i + 1, equals)), content.subarray(equals + 1, end - 1)])
    start = end
  }
  return records
}

const timeForm = /^(-?)(\d{1,15})(?:\.(\d*))?$/

/** A PAX time (decimal seconds since 1970) → whole seconds rounded down and nanoseconds; further digits are cut. */
export function parsePaxTime(text: string): { seconds: number; nanoseconds: number } | undefined {
  const match = timeForm.exec(text)
  if (match === null) return undefined
  const whole = Number(match[2])
  const fraction = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  if (match[1] === '') return { seconds: whole, nanoseconds: fraction }
  if (fraction === 0) return { seconds: whole === 0 ? 0 : -whole, nanoseconds: 0 }
  return { seconds: -whole - 1, nanoseconds: 1_000_000_000 - fraction }
}

/** Undone by `parsePaxTime`; no trailing zeros. */
export function formatPaxTime(time: { readonly seconds: number; readonly nanoseconds: number }): string {
  if (time.nanoseconds === 0) return String(time.seconds)
  const negative = time.seconds < 0
  const whole = negative ? -(time.seconds + 1) : time.seconds
  const fraction = negative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
  return `${negative ? '-' : ''}${whole}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
}

/** A decimal number without sign; `undefined` for anything else or beyond the safe integers. */
export function parsePaxNumber(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
