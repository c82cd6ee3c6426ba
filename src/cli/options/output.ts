import { nearest } from '#diagnostics'
import type { CompressionChoice, ImageFormat } from '#image'
import type { Reference } from '#oci'
import { usageError } from '../usage-error.ts'
import { csvFields } from './csv.ts'
import { parseTag } from './tag.ts'

/** Where a build's result goes besides the local store. `-` as destination is standard output. */
export type OutputOption =
  | OciOutput
  | RegistryOutput
  /** A Docker archive, or the root file system as a tar archive. */
  | { readonly type: 'docker' | 'tar'; readonly destination: string }
  /** The root file system as files in a directory. */
  | { readonly type: 'local'; readonly destination: string }

/** Repositories of registries. */
export interface RegistryOutput {
  readonly type: 'registry'
  /** How messages call it. */
  readonly destination: string
  /** Empty: those of `--tag`. */
  readonly names: readonly Reference[]
  readonly packing: CompressionChoice
  readonly format: ImageFormat
}

/** An OCI layout. */
export interface OciOutput {
  readonly type: 'oci'
  readonly destination: string
  /** In a tar archive; else as a directory. */
  readonly tar: boolean
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** Of the compression; absent: its own default. */
  readonly level?: number
}

const types = ['oci', 'docker', 'tar', 'local', 'registry', 'image'] as const
const commonKeys = ['type', 'dest']
const ociKeys = ['tar', 'compression', 'compression-level']
const registryKeys = ['type', 'name', 'push', 'compression', 'compression-level', 'force-compression', 'oci-mediatypes']

/**
 * `--output` as Docker reads it: `type=oci,dest=FILE`; a bare path is `type=local,dest=PATH`; `-` alone is
 * `type=tar,dest=-`. Without a destination an archive goes to standard output. Throws a `UserError` (wrong usage).
 */
export function parseOutput(text: string): OutputOption {
  const fields = csvFields(text, '--output')
  const [only] = fields
  if (fields.length === 1 && only !== undefined && only !== '' && !only.includes('=')) {
    return only === '-' ? { type: 'tar', destination: '-' } : { type: 'local', destination: only }
  }
  const values = keyValues(fields, text)
  const type = typeOf(values.get('type'), text)
  const toRegistry = type === 'registry' || type === 'image'
  const keys = toRegistry ? registryKeys : type === 'oci' ? [...commonKeys, ...ociKeys] : commonKeys
  for (const key of values.keys()) if (!keys.includes(key)) throw unknown('key', { key, known: keys, text })
  if (toRegistry) return registryOutput(values, type, text)
  const oci = type === 'oci' ? ociOptions(values, text) : undefined
  const destination = destinationOf(values.get('dest'), {
    text,
    type,
    directory: type === 'local' || oci?.tar === false,
  })
  return oci ? { type: 'oci', destination, ...oci } : { type: type as 'docker' | 'tar' | 'local', destination }
}

function keyValues(fields: readonly string[], text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const field of fields) {
    const equals = field.indexOf('=')
    if (equals === -1) {
      throw usageError(
        `--output ${text}: ${JSON.stringify(field)} is not of the form key=value`,
        'write --output type=oci,dest=FILE, or just a directory',
      )
    }
    const key = field.slice(0, equals).trim().toLowerCase()
    if (values.has(key)) throw usageError(`--output ${text}: "${key}" is given twice`, 'give it once')
    values.set(key, field.slice(equals + 1))
  }
  return values
}

/** `type=registry,name=…` and `type=image,push=true,name=…` are the same. */
function registryOutput(values: ReadonlyMap<string, string>, type: 'registry' | 'image', text: string): RegistryOutput {
  const flag = (key: string, preset: boolean): boolean => {
    const value = values.get(key) ?? String(preset)
    if (value === 'true' || value === 'false') return value === 'true'
    throw usageError(
      `--output ${text}: invalid value ${JSON.stringify(value)} for "${key}"`,
      `write ${key}=true or ${key}=false`,
    )
  }
  if (!flag('push', type === 'registry')) {
    throw usageError(`--output ${text}: images go to the local store with --tag`, 'use -t NAME, or add push=true')
  }
  const names = (values.get('name') ?? '')
    .split(',')
    .filter(name => name.trim() !== '')
    .map(name => parseTag(name.trim(), '--output'))
  const compression = compressionOf(values.get('compression') ?? 'gzip', text)
  const level = values.get('compression-level')
  return {
    type: 'registry',
    destination: names.length === 0 ? 'the registry' : (values.get('name') ?? ''),
    names,
    packing: {
      compression,
      ...(level !== undefined && { level: levelOf(level, compression, text) }),
      ...(flag('force-compression', false) && { force: true }),
    },
    format: flag('oci-mediatypes', true) ? 'oci' : 'docker',
  }
}

function typeOf(value: string | undefined, text: string): (typeof types)[number] {
  const type = types.find(each => each === value)
  if (type !== undefined) return type
  if (value === undefined) {
    throw usageError(`--output ${text}: no type`, `add type=${types.join(', type=')} (one of them)`)
  }
  throw unknown('type', { key: value, known: types, text })
}

function unknown(
  what: 'key' | 'type' | 'compression',
  { key, known, text }: { readonly key: string; readonly known: readonly string[]; readonly text: string },
): Error {
  const near = nearest(key, known)
  const list = `the ${what}s are ${known.join(', ')}`
  return usageError(
    `--output ${text}: unknown ${what} ${JSON.stringify(key)}`,
    near === undefined ? list : `did you mean "${near}"? ${list}`,
  )
}

function destinationOf(
  value: string | undefined,
  { text, type, directory }: { readonly text: string; readonly type: string; readonly directory: boolean },
): string {
  if (value === '' || (directory && value === undefined)) {
    throw usageError(`--output ${text}: no destination`, `write --output type=${type},dest=PATH`)
  }
  if (directory && value === '-') {
    throw usageError(`--output ${text}: a directory cannot go to standard output`, 'use type=tar for a stream')
  }
  return value ?? '-'
}

function ociOptions(
  values: ReadonlyMap<string, string>,
  text: string,
): Pick<OciOutput, 'tar' | 'compression' | 'level'> {
  const tar = values.get('tar') ?? 'true'
  if (tar !== 'true' && tar !== 'false') {
    throw usageError(`--output ${text}: invalid value ${JSON.stringify(tar)} for "tar"`, 'write tar=true or tar=false')
  }
  const compression = compressionOf(values.get('compression') ?? 'gzip', text)
  const level = values.get('compression-level')
  return { tar: tar === 'true', compression, ...(level !== undefined && { level: levelOf(level, compression, text) }) }
}

function compressionOf(value: string, text: string): OciOutput['compression'] {
  if (value === 'uncompressed' || value === 'none') return 'none'
  if (value === 'gzip' || value === 'zstd') return value
  throw unknown('compression', { key: value, known: ['uncompressed', 'gzip', 'zstd'], text })
}

const highestLevel = { none: 0, gzip: 9, zstd: 22 }

function levelOf(value: string, compression: OciOutput['compression'], text: string): number {
  const level = Number(value)
  if (/^\d+$/.test(value) && level <= highestLevel[compression]) return level
  throw usageError(
    `--output ${text}: invalid compression level ${JSON.stringify(value)}`,
    `levels of ${compression} go from 0 to ${highestLevel[compression]}`,
  )
}
