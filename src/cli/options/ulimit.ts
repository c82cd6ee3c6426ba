import { nearest } from '#diagnostics'
import { type ResourceLimit, resourceLimitNames } from '#linux'
import { usageError } from '../usage-error.ts'

/**
 * `--ulimit NAME=SOFT[:HARD]` as Docker reads it: without HARD both are SOFT, -1 is unlimited. Throws a `UserError`
 * (wrong usage).
 */
export function parseUlimit(text: string): ResourceLimit {
  const [, name = '', soft = '', hard = soft] = /^([^=]*)=(-1|\d+)(?::(-1|\d+))?$/.exec(text) ?? []
  if (soft === '') {
    throw usageError(
      `--ulimit ${text}: not a limit`,
      'write --ulimit NAME=SOFT:HARD, such as --ulimit nofile=1024:4096',
    )
  }
  if (!resourceLimitNames.has(name)) {
    const near = nearest(name, resourceLimitNames)
    const known = `the limits are ${[...resourceLimitNames].join(', ')}`
    throw usageError(
      `--ulimit ${text}: unknown limit ${JSON.stringify(name)}`,
      near === undefined ? known : `did you mean "${near}"? ${known}`,
    )
  }
  const limit = { name, soft: Number(soft), hard: Number(hard) }
  if (!Number.isSafeInteger(limit.soft) || !Number.isSafeInteger(limit.hard)) {
    throw usageError(`--ulimit ${text}: too large`, 'write -1 for unlimited')
  }
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw usageError(`--ulimit ${text}: the soft limit is above the hard limit`, 'write the smaller number first')
  }
  return limit
}
