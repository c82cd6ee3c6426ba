import { nearest } from '#diagnostics'
import { usageError } from '../usage-error.ts'
import { csvFields } from './csv.ts'

/** A secret of the command line and where its value comes from. */
export type SecretOption =
  | { readonly id: string; readonly from: 'file'; readonly path: string }
  | { readonly id: string; readonly from: 'environment'; readonly variable: string }
  /** Only an id: the variable of that name where it is set, else the file. */
  | { readonly id: string; readonly from: 'either' }

const keys = ['id', 'type', 'src', 'source', 'env']

/** `--secret id=ID[,src=FILE|,env=VARIABLE]` as Docker reads it. Throws a `UserError` (wrong usage). */
export function parseSecret(text: string): SecretOption {
  const values = new Map<string, string>()
  for (const field of csvFields(text, '--secret')) {
    const equals = field.indexOf('=')
    const key = (equals === -1 ? field : field.slice(0, equals)).trim().toLowerCase()
    if (equals === -1 || !keys.includes(key)) throw unknownField(text, field, key)
    values.set(key === 'source' ? 'src' : key, field.slice(equals + 1))
  }
  const id = values.get('id')
  if (!id) throw usageError(`--secret ${text}: no id`, 'write --secret id=ID,src=FILE')
  const type = values.get('type')
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw usageError(`--secret ${text}: unknown type ${JSON.stringify(type)}`, 'the types are file and env')
  }
  const variable = values.get('env') ?? (type === 'env' ? values.get('src') : undefined)
  if (variable !== undefined) return { id, from: 'environment', variable }
  const path = values.get('src')
  return path === undefined ? { id, from: 'either' } : { id, from: 'file', path }
}

function unknownField(text: string, field: string, key: string): Error {
  const near = nearest(key, keys)
  return usageError(
    `--secret ${text}: ${JSON.stringify(field)} is not understood`,
    near === undefined || near === key
      ? 'write --secret id=ID,src=FILE or id=ID,env=VARIABLE'
      : `did you mean "${near}"?`,
  )
}
