import { isRandom } from './looks-secret.ts'
import { entropyOf, isPlaceholder } from './placeholder.ts'

/** Files that hold one secret and nothing else. */
const bare =
  /(?:^|\/)(?:(?:master|credentials\/[\w-]+)\.key|\.?vault[-_]?(?:pass(?:word)?|token)(?:\.txt)?|(?:[\w-]*[-_.])?(?:password|passwd|passphrase|secret|token|api[-_]?key|secret[-_]?key(?:[-_]base)?)(?:\.txt)?|(?:var\/)?run\/secrets\/[^/]+|\.erlang\.cookie)$/i

/** The range of the secret when a file of at most 4 KiB is nothing but one, and its name says so. */
export function bareSecret(bytes: Uint8Array, path: string): readonly [start: number, end: number] | undefined {
  if (bytes.length > 4096 || bytes.length < 8 || !bare.test(path)) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const match = /^\s*(?<value>[\x21-\x7e]{8,1000})\s*$/.exec(text)
  const value = match?.groups?.['value']
  if (value === undefined || isPlaceholder(value)) return undefined
  if (!isRandom(value) && !(/\d/.test(value) && /[A-Za-z]/.test(value) && entropyOf(value) >= 2.8)) return undefined
  const start = text.indexOf(value)
  return [start, start + value.length]
}
