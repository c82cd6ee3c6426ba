const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const

/**
 * A number of bytes as `docker images` prints it: decimal units, three significant digits, no trailing zeros: `0B`,
 * `1.23kB`, `45.6MB`, `124MB`. Negative numbers keep their sign.
 */
export function formatSize(bytes: number): string {
  let value = Math.abs(bytes)
  let unit = 0
  // 999.6 has three significant digits only as 1000, so the next unit is due before the value itself reaches 1000.
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${bytes < 0 ? '-' : ''}${Number(value.toPrecision(3))}${units[unit]}`
}

/** A rate in bytes per second: `3.2MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(Math.round(bytesPerSecond))}/s`
}
