import { isSecretName } from '#dockerfile'
import { digestOf } from '#oci'
import type { CacheInputs } from '#store'

/** Values that are secrets whatever they are called: tokens of well-known services, private keys, URLs with a password. */
const secretValue =
  /^(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-|sk-|AKIA|npm_|pypi-|eyJ[\w-]+\.eyJ)|-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^/\s:@]+:[^/\s@]+@/

/** The inputs of a key as they may be written down and shown: a value that looks like a secret becomes a digest. */
export function shownInputs(inputs: CacheInputs): CacheInputs {
  const { env } = inputs
  return Array.isArray(env) ? { ...inputs, env: env.map(line => shownVariable(String(line))) } : inputs
}

function shownVariable(line: string): string {
  const at = line.indexOf('=')
  const name = line.slice(0, at)
  const value = line.slice(at + 1)
  if (value === '') return line
  return isSecretName(name) || secretValue.test(value) ? `${name}=${digestOf(value).slice(0, 19)}…` : line
}
