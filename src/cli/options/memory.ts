import { usageError } from '../usage-error.ts'

/**
 * An amount of memory as Docker reads it: bytes, or a number with b, k, m, g or t, which are powers of 1024 (also
 * written kb or KiB). Throws a `UserError` (wrong usage).
 */
export function parseMemory(text: string, option: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?|b)?$/i.exec(text) ?? []
  const bytes = Math.floor(Number(number) * 1024 ** ('kmgt'.indexOf(unit.toLowerCase() || ' ') + 1))
  if (number === undefined || !Number.isSafeInteger(bytes) || bytes === 0) {
    throw usageError(
      `invalid size ${JSON.stringify(text)} for ${option}`,
      'write a number with a unit, such as 256m or 1g',
    )
  }
  return bytes
}
