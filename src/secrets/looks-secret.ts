import { entropyOf } from './placeholder.ts'

const kinds =
  /^(?:\d+|(?:\d+[.:])+\d+|[a-z]+:\/\/[^@]*|(?:[\w-]+:)?\/[^ ]*|\.{1,2}\/[^ ]*|~\/[^ ]*|true|false|null|none|nil|undefined|string|str|bytes|int|number|boolean|any|object|required|optional|disabled|enabled|scram-sha-\d+(?:-plus)?|sha\d?-?\d+|aes-?\d+(?:-\w+)?)$/i

/** A value that says where the secret is, what it was hashed or encrypted with, or that is public. */
const elsewhere =
  /^(?:(?:sha\d+|md5|blake\w*|scram-sha-\d+)[-:$]|ssh-|ecdsa-|arn:|urn:|data:|ref\+|vault:|op:|projects\/|enc\[|pbkdf2|bcrypt|argon2|scrypt|\{(?:s?sha|smd5|crypt|bcrypt|x-|pbkdf2)|\$(?:\d\w?|apr1|argon2\w*|scrypt|pbkdf2\S*|y|gy)\$|\*[0-9A-F]{40}$|pk[._]|ag[A-Za-z0-9+/]{250})/i

/** Capitals where no word has them. */
const oddCase = /[a-z][A-Z]{2}|[A-Z][a-z][A-Z]/

export interface Reading {
  /** In a program or a comment: only what is certainly random. */
  readonly strict: boolean
  readonly quoted: boolean
  /** What it is called. */
  readonly key: string
}

/** Whether a value reads like something random, or at least like a password, and not like a word, a name, an expression. */
export function looksSecret(value: string, { strict, quoted, key }: Reading): boolean {
  if (value.length < 8 || kinds.test(value) || /\s/.test(value) || elsewhere.test(value)) return false
  const random = isRandom(value)
  if (/^[A-Za-z_$][\w$]*(?:\.[\w$]+|\[\S+\]|->\w+|::\w+)+$/.test(value) && !/\d.*\d/.test(value)) return false
  if (/[()<>|\\]/.test(value) && strict && !(quoted && random)) return false
  // A repeated name is a default or a reference, not a value.
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (plain(key).includes(plain(value)) || plain(value).includes(plain(key))) return false
  if (/^[a-z]+(?:[-_.:/][a-z]+)*$/i.test(value) && !oddCase.test(value)) return false
  const classes = classesOf(value)
  const entropy = entropyOf(value)
  const mixed = /\d/.test(value) || (classes >= 3 && oddCase.test(value))
  if (strict) return quoted && mixed && classes >= 2 && entropy >= 3.2 && value.length >= 10
  return /\d|[^\w.-]|[a-z][A-Z]/.test(value) && classes >= 2 && entropy >= 2.7
}

/** Lower case, upper case, digits, others: how many of the four. */
export const classesOf = (value: string): number =>
  [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter(each => each.test(value)).length

/** So long and so mixed that nobody wrote it: what begins or ends with a sign is then no template. */
export const isRandom = (value: string): boolean =>
  value.length >= 20 && /\d/.test(value) && classesOf(value) >= 3 && entropyOf(value) >= 3.9

/** What a person could have typed as a password in a command: not a variable, an option, or a word that stands for it. */
export function looksTyped(value: string): boolean {
  if (value.length < 6 || /^[-$]|[`]|\$[\w({]|^%\w|^["']/.test(value)) return false
  return (/\d|[^\w.-]/.test(value) || oddCase.test(value)) && classesOf(value) >= 2 && entropyOf(value) >= 2.5
}
