import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SecretSource } from '#build'
import { UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { SecretOption } from '../options/secret.ts'

/** As large as BuildKit lets a secret be (bytes). */
const largest = 500 * 1024

/**
 * Secrets of the command line, by id; read only when a step asks. Throws a `UserError` for a variable or file that is
 * not there.
 */
export function readSecrets(secrets: readonly SecretOption[], context: CliContext): ReadonlyMap<string, SecretSource> {
  return new Map(secrets.map(secret => [secret.id, sourceOf(secret, context)]))
}

function sourceOf(secret: SecretOption, context: CliContext): SecretSource {
  const { environment } = context
  switch (secret.from) {
    case 'environment': {
      const value = environment[secret.variable]
      if (value === undefined) {
        throw new UserError(`secret ${JSON.stringify(secret.id)}: the variable ${secret.variable} is not set`, {
          hint: `set ${secret.variable}, or name a file with src=FILE`,
        })
      }
      return { read: async () => Buffer.from(value) }
    }
    case 'file':
      return fromFile(secret.id, secret.path, context)
    case 'either': {
      const value = environment[secret.id]
      return value === undefined ? fromFile(secret.id, secret.id, context) : { read: async () => Buffer.from(value) }
    }
  }
}

function fromFile(id: string, file: string, { directory }: CliContext): SecretSource {
  const path = resolve(directory, file)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) {
    throw new UserError(`secret ${JSON.stringify(id)}: there is no file ${JSON.stringify(file)}`, {
      hint: 'name an existing file with src=FILE, or a variable with env=NAME',
    })
  }
  if (found.size > largest) {
    throw new UserError(`secret ${JSON.stringify(id)} has ${found.size} bytes; the most is ${largest}`, {
      hint: 'give a large file as part of a build context',
    })
  }
  return { read: () => readFile(path) }
}
