import { usageError } from '../usage-error.ts'

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

/** `10GB`, `512mb`, `1.5g`: bytes, decimal as Slipway prints them; `GiB` is binary. Throws a `UserError` (wrong usage). */
export function parseSize(text: string, option: string): number {
  const [, number = '', prefix = '', binary] = /^(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b?$/i.exec(text) ?? []
  const exponent = 'kmgt'.indexOf(prefix.toLowerCase()) + 1
  const unit = binary && prefix !== '' ? 1024 ** exponent : sizeUnits[prefix.toLowerCase()]
  if (number === '' || unit === undefined || (binary && prefix === '')) {
    throw usageError(
      `invalid size ${JSON.stringify(text)} for ${option}`,
      'write a number with a unit, such as 10GB or 512MB',
    )
  }
  return Math.round(Number(number) * unit)
}

/** `24h`, `1h30m`, `10d`: milliseconds (Go's durations, and days). Throws a `UserError` (wrong usage). */
export function parseDuration(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) {
    throw usageError(`invalid duration ${JSON.stringify(text)} for ${option}`, 'write for example 24h, 90m or 7d')
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (timeUnits[unit ?? ''] ?? 0), 0)
}
