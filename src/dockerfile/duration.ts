const nanosecondsPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/**
 * A duration as Go's `time.ParseDuration` reads it (`1h30m`, `1.5s`, `300ms`, `0`) → nanoseconds. Undefined when it is
 * not one, or when it is too long to be exact (about 104 days).
 */
export function parseDuration(text: string): number | undefined {
  const signed = /^([-+]?)(.+)$/s.exec(text)
  const rest = signed?.[2] ?? ''
  if (rest === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = nanosecondsPerUnit[unit] ?? 0n
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  return signed?.[1] === '-' ? -Number(total) : Number(total)
}

/** Nanoseconds as Go prints a `time.Duration`: `5m0s`, `1.5s`, `300ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  const sign = nanoseconds < 0 ? '-' : ''
  const value = BigInt(Math.abs(nanoseconds))
  if (value === 0n) return '0s'
  if (value < 1_000n) return `${sign}${value}ns`
  if (value < 1_000_000n) return `${sign}${decimal(value, 1_000n)}µs`
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 1_000_000n)}ms`
  const minutes = value / 60_000_000_000n
  const seconds = `${decimal(value % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return `${sign}${seconds}`
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = String(value % unit)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '')
  return `${value / unit}${fraction === '' ? '' : `.${fraction}`}`
}
