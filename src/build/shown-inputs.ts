import { digestOf } from '#oci'
import { isSecretValue } from '#plan'
import type { CacheInputs } from '#store'

/** The inputs of a key as they may be written down and shown: a value that looks like a secret becomes a digest. */
export function shownInputs(inputs: CacheInputs): CacheInputs {
  const { env } = inputs
  return Array.isArray(env) ? { ...inputs, env: env.map(line => shownVariable(String(line))) } : inputs
}

function shownVariable(line: string): string {
  const at = line.indexOf('=')
  const name = line.slice(0, at)
  const value = line.slice(at + 1)
  return isSecretValue(name, value) ? `${name}=${digestOf(value).slice(0, 19)}…` : line
}
