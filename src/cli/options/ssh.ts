import { usageError } from '../usage-error.ts'

/** An ssh agent of the command line: by `SSH_AUTH_SOCK`, by a socket, or with keys from files. */
export interface SshOption {
  readonly id: string
  /** As given: a socket or key files; none for the agent of the environment. */
  readonly paths: readonly string[]
}

/** `--ssh default|ID[=SOCKET|KEY[,KEY…]]` as Docker reads it. Throws a `UserError` (wrong usage). */
export function parseSsh(text: string): SshOption {
  const equals = text.indexOf('=')
  const id = equals === -1 ? text : text.slice(0, equals)
  if (id === '') throw usageError(`--ssh ${text}: no id`, 'write --ssh default, or --ssh ID=FILE')
  if (equals === -1) return { id, paths: [] }
  const paths = text.slice(equals + 1).split(',')
  if (paths.includes('')) throw usageError(`--ssh ${text}: an empty path`, 'write --ssh ID=SOCKET or ID=KEY,KEY')
  const option = paths.find(path => path.startsWith('raw='))
  if (option !== undefined) {
    throw usageError(`--ssh ${text}: ${option} is not supported`, 'agents only list keys and sign with them')
  }
  return { id, paths }
}
