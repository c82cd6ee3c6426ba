import { resolve } from 'node:path'
import { nearest } from '#diagnostics'
import { usageError } from '../usage-error.ts'

/** A directory or file of the host that a container sees. */
export interface Volume {
  /** Absolute, on the host. */
  readonly source: string
  /** Absolute, in the container. */
  readonly target: string
  readonly readonly: boolean
}

const modes = ['ro', 'rw']

/**
 * `-v SOURCE:TARGET[:ro|rw]`; a relative SOURCE starts at `directory`. Named volumes don't exist here. Throws a
 * `UserError` (wrong usage).
 */
export function parseVolume(text: string, directory: string): Volume {
  const [source = '', target = '', mode = 'rw', ...rest] = text.split(':')
  const form = 'write -v HOST-PATH:PATH or -v HOST-PATH:PATH:ro'
  if (source === '' || target === '' || rest.length > 0) throw usageError(`-v ${text}: not a volume`, form)
  if (!target.startsWith('/')) throw usageError(`-v ${text}: the path in the container is not absolute`, form)
  if (!modes.includes(mode)) {
    const near = nearest(mode, modes)
    throw usageError(
      `-v ${text}: unknown mode ${JSON.stringify(mode)}`,
      near === undefined ? 'the modes are ro and rw' : `did you mean "${near}"?`,
    )
  }
  if (!/[/.]/.test(source)) {
    throw usageError(`-v ${text}: there are no named volumes`, `write -v ./${source}:${target} for a directory here`)
  }
  return { source: resolve(directory, source), target, readonly: mode === 'ro' }
}
