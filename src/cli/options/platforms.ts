import { formatPlatform, parsePlatform, type Platform } from '#oci'
import { usageError } from '../usage-error.ts'

/**
 * `--platform A,B`, which may be given several times; each platform once. Throws a `UserError` (wrong usage, or not a
 * platform).
 */
export function collectPlatforms(text: string, previous: readonly Platform[] = []): Platform[] {
  const platforms = [...previous]
  for (const word of text.split(',')) {
    if (word.trim() === '')
      throw usageError(`--platform ${text}: an empty platform`, 'write --platform linux/amd64,linux/arm64')
    const platform = parsePlatform(word.trim())
    if (platforms.every(each => formatPlatform(each) !== formatPlatform(platform))) platforms.push(platform)
  }
  return platforms
}
