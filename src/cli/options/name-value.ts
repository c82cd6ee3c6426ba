import { usageError } from '../usage-error.ts'

export type NameValue = readonly [name: string, value: string]
type Environment = Readonly<Record<string, string | undefined>>

/**
 * `NAME=VALUE`, or `NAME` alone, which takes the value from `environment`. Undefined when NAME alone is not set there:
 * Docker leaves such an option out. Throws a `UserError` (wrong usage) when there is no name.
 */
export function parseNameValue(text: string, option: string, environment: Environment): NameValue | undefined {
  const [name, value] = split(text, option)
  if (value !== undefined) return [name, value]
  const found = environment[name]
  return found === undefined ? undefined : [name, found]
}

/** Checks the form of `NAME=VALUE` or `NAME`, which is read later, and gives it back. */
export function checkNameValue(option: string): (text: string) => string {
  return text => {
    split(text, option)
    return text
  }
}

/** `NAME=VALUE`; `NAME` alone has an empty value, as Docker's labels do. */
export function parseLabel(text: string): NameValue {
  const [name, value] = split(text, '--label')
  return [name, value ?? '']
}

/** `NAME=PATH` of `--build-context`. */
export function parseBuildContext(text: string): NameValue {
  const [name, value] = split(text, '--build-context')
  if (value === undefined || value === '') {
    throw usageError(`--build-context ${text}: no path`, 'write --build-context NAME=PATH')
  }
  return [name, value]
}

function split(text: string, option: string): readonly [string, string | undefined] {
  const equals = text.indexOf('=')
  const name = equals === -1 ? text : text.slice(0, equals)
  if (name === '') throw usageError(`${option} ${text}: no name before "="`, `write ${option} NAME=VALUE`)
  return [name, equals === -1 ? undefined : text.slice(equals + 1)]
}
