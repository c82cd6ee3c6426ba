import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { version } from '../version.ts'

/**
 * Which program composes bases: its version, and a digest of the file that this code is in. In a bundle that is the file with all that
 * composes, and it names the others with digests of theirs; so what another state of the code has composed does not count.
 */
export async function composerName(): Promise<string> {
  const code = await readFile(fileURLToPath(import.meta.url))
  return `${await version()} ${createHash('sha256').update(code).digest('hex')}`
}
