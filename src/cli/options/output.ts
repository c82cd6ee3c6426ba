import { nearest } from '#diagnostics'
import { usageError } from '../usage-error.ts'
import { csvFields } from './csv.ts'

/** Where a build's result goes besides the local store. `-` as destination is standard output. */
export type OutputOption =
  /** An OCI layout in a tar archive, a Docker archive, the root file system as a tar archive. */
  | { readonly type: 'oci' | 'docker' | 'tar'; readonly destination: string }
  /** The root file system as files in a directory. */
  | { readonly type: 'local'; readonly destination: string }

const types = ['oci', 'docker', 'tar', 'local'] as const
const keys = ['type', 'dest']

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
  const destination = values.get('dest')
  if (destination === '' || (type === 'local' && destination === undefined)) {
    throw usageError(`--output ${text}: no destination`, `write --output type=${type},dest=PATH`)
  }
  if (type === 'local' && destination === '-') {
    throw usageError(`--output ${text}: a directory cannot go to standard output`, 'use type=tar for a stream')
  }
  return { type, destination: destination ?? '-' }
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
    if (!keys.includes(key)) throw unknownKey(key, text)
    if (values.has(key)) throw usageError(`--output ${text}: "${key}" is given twice`, 'give it once')
    values.set(key, field.slice(equals + 1))
  }
  return values
}

function unknownKey(key: string, text: string): Error {
  const near = nearest(key, keys)
  const known = 'the keys are type and dest'
  return usageError(
    `--output ${text}: unknown key ${JSON.stringify(key)}`,
    near === undefined ? known : `did you mean "${near}"? ${known}`,
  )
}

function typeOf(value: string | undefined, text: string): OutputOption['type'] {
  const type = types.find(each => each === value)
  if (type !== undefined) return type
  if (value === undefined) {
    throw usageError(`--output ${text}: no type`, `add type=${types.join(', type=')} (one of them)`)
  }
  if (value === 'image') {
    throw usageError(`--output ${text}: images go to the local store with --tag`, 'use -t NAME instead of --output')
  }
  const near = nearest(value, types)
  const known = `the types are ${types.join(', ')}`
  throw usageError(
    `--output ${text}: unknown type ${JSON.stringify(value)}`,
    near === undefined ? known : `did you mean "${near}"? ${known}`,
  )
}
