import { nearest } from '#diagnostics'
import { type Digest, parseReference, type Reference } from '#oci'
import { usageError } from '../usage-error.ts'
import { parseSize } from './amount.ts'
import { csvFields } from './csv.ts'

/** Where a cache is. */
export type CachePlace =
  | { readonly type: 'registry'; readonly reference: Reference }
  /** An OCI layout; the directory as given. */
  | { readonly type: 'local'; readonly directory: string; readonly name: string }

/** Which cache mounts travel with it. */
export interface CacheMountChoice {
  readonly ids: readonly string[]
  /** Bytes. */
  readonly maxSize: number
}

/** `--cache-from`. */
export type CacheFromOption = CachePlace & { readonly text: string; readonly mounts?: CacheMountChoice }

/** `--cache-to`. */
export type CacheToOption =
  /** In the manifest of the image that is pushed or written. */
  { readonly type: 'inline'; readonly text: string } | ExportedCacheOption

export type ExportedCacheOption = CachePlace & {
  readonly text: string
  readonly mode: 'min' | 'max'
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly level?: number
  /** Also layers that are compressed in another way where they can be had. */
  readonly force: boolean
  /** A cache that cannot be written is no failure of the build. */
  readonly ignoreError: boolean
  readonly mounts?: CacheMountChoice
}

/** The most that the archive of one cache mount may have unless something else is said: 2 GB. */
const mountLimit = 2e9

const fromKeys = { registry: ['ref'], local: ['src', 'tag', 'digest'] } as const
const toKeys = {
  registry: ['ref', 'oci-mediatypes', 'image-manifest'],
  local: ['dest', 'tag', 'oci-mediatypes', 'image-manifest'],
  inline: [],
} as const
const mountKeys = ['mounts', 'mounts-max-size']
const exportKeys = ['mode', 'compression', 'compression-level', 'force-compression', 'ignore-error', ...mountKeys]

/**
 * `--cache-from` as buildx reads it: `type=registry,ref=NAME`, `type=local,src=DIRECTORY[,tag=…][,digest=…]`, or just a NAME.
 * Throws a `UserError` (wrong usage).
 */
export function parseCacheFrom(text: string): CacheFromOption {
  const option = '--cache-from'
  const fields = csvFields(text, option)
  if (fields.every(field => !field.includes('=')) && fields.length === 1) {
    return { type: 'registry', reference: referenceOf(text, text, option), text }
  }
  const values = keyValues(fields, { text, option })
  const type = typeOf(values, { text, option, known: ['registry', 'local'] })
  const about = { text, option }
  allowKeys(values, [...fromKeys[type], ...mountKeys], about)
  const mounts = mountsOf(values, about)
  const more = { text, ...(mounts && { mounts }) }
  if (type === 'registry')
    return { type, reference: referenceOf(required(values, 'ref', about), text, option), ...more }
  const digest = values.get('digest')
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw usageError(`${option} ${text}: ${JSON.stringify(digest)} is not a digest`, 'write digest=sha256:…')
  }
  const name = (digest as Digest | undefined) ?? values.get('tag') ?? 'latest'
  return { type, directory: required(values, 'src', about), name, ...more }
}

/**
 * `--cache-to` as buildx reads it: `type=registry,ref=NAME`, `type=local,dest=DIRECTORY` or `type=inline`, with mode, compression …
 * Throws a `UserError` (wrong usage).
 */
export function parseCacheTo(text: string): CacheToOption {
  const option = '--cache-to'
  const about = { text, option }
  const fields = csvFields(text, option)
  if (fields.length === 1 && !text.includes('='))
    return exported({ type: 'registry', reference: referenceOf(text, text, option) }, new Map(), about)
  const values = keyValues(fields, about)
  const type = typeOf(values, { ...about, known: ['registry', 'local', 'inline'] })
  if (type === 'inline') {
    if (values.get('mode') === 'max') {
      throw usageError(`${option} ${text}: an image has the layers of its result only`, 'write type=registry,mode=max')
    }
    allowKeys(values, ['mode'], about)
    return { type, text }
  }
  allowKeys(values, [...toKeys[type], ...exportKeys], about)
  for (const key of ['oci-mediatypes', 'image-manifest']) {
    if (truth(values, key, { ...about, otherwise: true })) continue
    throw usageError(`${option} ${text}: a cache is an OCI image manifest`, `leave ${key} out`)
  }
  const place: CachePlace =
    type === 'registry'
      ? { type, reference: referenceOf(required(values, 'ref', about), text, option) }
      : { type, directory: required(values, 'dest', about), name: values.get('tag') ?? 'latest' }
  return exported(place, values, about)
}

interface About {
  readonly text: string
  readonly option: string
}

function exported(place: CachePlace, values: ReadonlyMap<string, string>, about: About): ExportedCacheOption {
  const mounts = mountsOf(values, about)
  const level = values.get('compression-level')
  const compression = choiceOf(values, 'compression', { ...about, known: ['gzip', 'zstd', 'uncompressed', 'none'] })
  const kind = compression === 'uncompressed' ? 'none' : compression
  return {
    ...place,
    text: about.text,
    mode: choiceOf(values, 'mode', { ...about, known: ['min', 'max'] }),
    compression: kind,
    ...(level !== undefined && { level: levelOf(level, kind, about) }),
    force: truth(values, 'force-compression', about),
    ignoreError: truth(values, 'ignore-error', about),
    ...(mounts && { mounts }),
  }
}

const highestLevel = { none: 0, gzip: 9, zstd: 22 }

function levelOf(value: string, compression: keyof typeof highestLevel, { option, text }: About): number {
  const level = Number(value)
  if (/^\d+$/.test(value) && level <= highestLevel[compression]) return level
  throw usageError(
    `${option} ${text}: invalid compression level ${JSON.stringify(value)}`,
    `levels of ${compression} go from 0 to ${highestLevel[compression]}`,
  )
}

function mountsOf(values: ReadonlyMap<string, string>, { option, text }: About): CacheMountChoice | undefined {
  const list = values.get('mounts')
  const size = values.get('mounts-max-size')
  if (list === undefined) {
    if (size === undefined) return undefined
    throw usageError(`${option} ${text}: mounts-max-size without mounts`, 'name cache mounts: mounts=ID;ID')
  }
  const ids = list.split(';').filter(id => id !== '')
  if (ids.length === 0) throw usageError(`${option} ${text}: no cache mount is named`, 'write mounts=ID;ID')
  return {
    ids: [...new Set(ids)],
    maxSize: size === undefined ? mountLimit : parseSize(size, `${option} mounts-max-size`),
  }
}

function keyValues(fields: readonly string[], { option, text }: About): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const field of fields) {
    const equals = field.indexOf('=')
    if (equals === -1) {
      throw usageError(
        `${option} ${text}: ${JSON.stringify(field)} is not of the form key=value`,
        `write ${option} type=registry,ref=NAME`,
      )
    }
    const key = field.slice(0, equals).trim().toLowerCase()
    if (values.has(key)) throw usageError(`${option} ${text}: "${key}" is given twice`, 'give it once')
    values.set(key, field.slice(equals + 1))
  }
  return values
}

function typeOf<T extends string>(
  values: ReadonlyMap<string, string>,
  { known, option, text }: About & { readonly known: readonly T[] },
): T {
  const value = values.get('type')
  const type = known.find(each => each === value)
  if (type !== undefined) return type
  const types = `the types are ${known.join(', ')}`
  const service = value === undefined ? undefined : services.get(value)
  throw usageError(
    value === undefined
      ? `${option} ${text}: no type`
      : `${option} ${text}: the type ${JSON.stringify(value)} is not supported`,
    service === undefined ? types : `${types}; instead of ${service}`,
  )
}

/** Where BuildKit keeps caches and we do not, and what does the same. */
const services: ReadonlyMap<string, string> = new Map([
  [
    'gha',
    "GitHub's cache service use a registry (type=registry,ref=ghcr.io/OWNER/NAME:cache), or type=local with a directory that the workflow's cache step keeps",
  ],
  [
    's3',
    'a bucket use a registry (type=registry,ref=HOST/NAME:cache), or type=local and copy the directory to the bucket',
  ],
  [
    'azblob',
    'Azure Blob Storage use a registry (type=registry,ref=HOST/NAME:cache), or type=local and copy the directory there',
  ],
])

/** The first of what is known, where nothing is said. */
function choiceOf<T extends string>(
  values: ReadonlyMap<string, string>,
  key: string,
  { known, option, text }: About & { readonly known: readonly [T, ...T[]] },
): T {
  const value = values.get(key)
  const found = value === undefined ? known[0] : known.find(each => each === value)
  if (found !== undefined) return found
  throw usageError(
    `${option} ${text}: invalid value ${JSON.stringify(value)} for "${key}"`,
    `write ${key}=${known.join(` or ${key}=`)}`,
  )
}

function truth(
  values: ReadonlyMap<string, string>,
  key: string,
  { option, text, otherwise = false }: About & { readonly otherwise?: boolean },
): boolean {
  const value = values.get(key)
  if (value === undefined) return otherwise
  if (/^(1|t|true)$/i.test(value)) return true
  if (/^(0|f|false)$/i.test(value)) return false
  throw usageError(
    `${option} ${text}: invalid value ${JSON.stringify(value)} for "${key}"`,
    `write ${key}=true or ${key}=false`,
  )
}

function allowKeys(values: ReadonlyMap<string, string>, known: readonly string[], { option, text }: About): void {
  for (const key of values.keys()) {
    if (key === 'type' || known.includes(key)) continue
    const near = nearest(key, known)
    const list = known.length === 0 ? 'it takes none' : `the keys are ${known.join(', ')}`
    throw usageError(
      `${option} ${text}: unknown key "${key}"`,
      near === undefined ? list : `did you mean "${near}"? ${list}`,
    )
  }
}

function required(values: ReadonlyMap<string, string>, key: string, { option, text }: About): string {
  const value = values.get(key)
  if (value !== undefined && value !== '') return value
  throw usageError(`${option} ${text}: "${key}" is missing`, `add ${key}=…`)
}

function referenceOf(name: string, text: string, option: string): Reference {
  try {
    return parseReference(name)
  } catch (error) {
    throw usageError(`${option} ${text}: ${(error as Error).message}`, 'name a repository and a tag: HOST/NAME:TAG')
  }
}
