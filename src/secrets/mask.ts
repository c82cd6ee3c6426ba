import { createHash } from 'node:crypto'

/** Says which value it is without giving it away: a prefix that all of its kind have, then stars, then the length. */
export function maskValue(value: string, prefix = ''): string {
  const shown = prefix !== '' && value.startsWith(prefix) && prefix.length <= value.length / 2 ? prefix : ''
  return `${shown}******** (${value.length} characters)`
}

/**
 * Names a secret for a baseline: 48 bits about rule and place, and 16 about the value. So a new value at the same place
 * is (nearly always) told again, and nobody finds the value by trying.
 */
export function fingerprintOf(rule: string, path: string, value: string): string {
  const place = createHash('sha256').update(`${rule}\0${path}`).digest('hex').slice(0, 12)
  return `${place}-${createHash('sha256').update(`${rule}\0${path}\0${value}`).digest('hex').slice(0, 4)}`
}
