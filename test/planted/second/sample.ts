import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Where in an image a text stands. */
export type Spot =
  /** A file of a layer; `gone` when a later layer deletes it. */
  | { readonly kind: 'file'; readonly path: string; readonly gone?: boolean }
  /** A file inside of an archive that is a file of a layer; the archive's name says its format. */
  | { readonly kind: 'member'; readonly archive: string; readonly path: string }
  /** `NAME=value` in the environment, `key=value` among the labels, the `created_by` of a line of history. */
  | { readonly kind: 'env' | 'label' | 'history' }
  /** Arguments, one a line. */
  | { readonly kind: 'command' | 'healthcheck' }

/** One planted text. What is secret in it stands between « and »; a near miss has no such marks. */
export interface Sample {
  readonly name: string
  readonly spot: Spot
  readonly text: string
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = UPPER.toLowerCase()
const DIGITS = '0123456789'
const WORDS = ['Winter', 'Harbor', 'Falcon', 'Marble', 'Tulip', 'Copper', 'Rocket', 'Meadow', 'Violet', 'Canyon']

/** Values that are the same in every run and stand nowhere in the repository: made of the hash of a sample's name. */
export class Values {
  readonly #seed: string
  #count = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  bytes(length: number): Buffer {
    const parts: Buffer[] = []
    this.#count += 1
    for (let part = 0; part * 32 < length; part += 1)
      parts.push(createHash('sha256').update(`${this.#seed}/${this.#count}/${part}`).digest())
    return Buffer.concat(parts).subarray(0, length)
  }

  of(alphabet: string, length: number): string {
    return [...this.bytes(length)].map(byte => alphabet[byte % alphabet.length]).join('')
  }

  hex = (length: number): string => this.of(`${DIGITS}abcdef`, length)
  upperHex = (length: number): string => this.hex(length).toUpperCase()
  digits = (length: number): string => this.of(DIGITS.slice(1), length)
  base62 = (length: number): string => this.of(DIGITS + UPPER + LOWER, length)
  base32 = (length: number): string => this.of(`${UPPER}234567`, length)
  upper = (length: number): string => this.of(UPPER + DIGITS, length)
  lower = (length: number): string => this.of(LOWER + DIGITS, length)
  /** Like `base62` with `-` and `_`, but none of these at the ends. */
  url64 = (length: number): string =>
    this.base62(1) + this.of(`${DIGITS}${UPPER}${LOWER}-_`, length - 2) + this.base62(1)
  /** Base64 of so many bytes, padded. */
  base64 = (bytes: number): string => this.bytes(bytes).toString('base64')
  uuid = (): string => [8, 4, 4, 4, 12].map(length => this.hex(length)).join('-')
  /** What a password generator makes. */
  password = (length: number): string =>
    this.base62(2) + this.of(`${DIGITS}${UPPER}${LOWER}!#%*+-_.~`, length - 4) + this.base62(2)
  /** What a person thinks of. */
  human = (): string => `${WORDS[(this.bytes(1)[0] as number) % WORDS.length]}${this.digits(4)}!${this.of(LOWER, 3)}`

  /** Thirty letters with their checksum, as GitHub and npm make them. */
  checked = (): string => {
    const body = this.base62(30)
    let rest = crc32(body)
    let sum = ''
    for (; rest > 0; rest = Math.floor(rest / 62)) sum = (DIGITS + UPPER + LOWER)[rest % 62] + sum
    return body + sum.padStart(6, '0')
  }

  /** A signed web token with these claims. */
  jwt = (claims: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${this.bytes(32).toString('base64url')}`
  }

  /** A PEM block: the kind as in `RSA PRIVATE KEY`, how its base64 begins, its length in bytes. */
  pem = (kind: string, start: string, bytes: number): string => {
    const body = (start + this.base64(bytes)).match(/.{1,64}/g) as string[]
    return [`-----BEGIN ${kind}-----`, ...body, `-----END ${kind}-----`].join('\n')
  }
}

type Text = (values: Values) => string

const sample = (name: string, spot: Spot, text: Text): Sample => ({ name, spot, text: text(new Values(name)) })

export const file = (path: string, text: Text): Sample => sample(path, { kind: 'file', path }, text)

export const goneFile = (path: string, text: Text): Sample => sample(path, { kind: 'file', path, gone: true }, text)

export const member = (archive: string, path: string, text: Text): Sample =>
  sample(`${archive}!${path}`, { kind: 'member', archive, path }, text)

export const setting = (
  kind: 'env' | 'label' | 'history' | 'command' | 'healthcheck',
  name: string,
  text: Text,
): Sample => sample(`${kind} ${name}`, { kind }, text)
