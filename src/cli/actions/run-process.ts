import { UserError } from '#diagnostics'
import type { ContainerConfig } from '#oci'
import type { NameValue } from '../options/name-value.ts'

/** What the command line of `slipway run` says about the process. */
export interface RunRequest {
  /** After the image. */
  readonly words: readonly string[]
  /** Empty: no entrypoint. */
  readonly entrypoint?: string
  readonly env: readonly NameValue[]
  readonly workdir?: string
  readonly user?: string
  readonly tty: boolean
  readonly hostname: string
}

/** The process to start. */
export interface RunProcess {
  readonly argv: readonly string[]
  /** `NAME=value`, each name once. */
  readonly env: readonly string[]
  /** Absolute. */
  readonly workdir: string
  /** As USER says; empty for root. */
  readonly user: string
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Image configuration and command line together, as `docker run` joins them: words replace CMD; `--entrypoint` replaces
 * ENTRYPOINT and makes CMD void; PATH, HOSTNAME and (on a terminal) TERM are set unless given. Throws a `UserError`
 * when nothing is left to run.
 */
export function runProcess(config: ContainerConfig, request: RunRequest): RunProcess {
  const entrypoint = request.entrypoint === undefined ? (config.Entrypoint ?? []) : [request.entrypoint].filter(Boolean)
  const command = request.words.length > 0 || request.entrypoint !== undefined ? request.words : (config.Cmd ?? [])
  const argv = [...entrypoint, ...command]
  if (argv.length === 0) {
    throw new UserError('there is nothing to run: the image has neither ENTRYPOINT nor CMD', {
      hint: 'write the command after the image',
    })
  }
  const workdir = request.workdir ?? (config.WorkingDir || '/')
  if (!workdir.startsWith('/')) {
    throw new UserError(`the working directory ${JSON.stringify(workdir)} is not absolute`, {
      hint: 'write a path that begins with "/"',
    })
  }
  return { argv, env: environmentOf(config, request), workdir, user: request.user ?? config.User ?? '' }
}

function environmentOf(config: ContainerConfig, request: RunRequest): string[] {
  const values = new Map<string, string>([
    ['PATH', defaultPath],
    ['HOSTNAME', request.hostname],
    ...(request.tty ? [['TERM', 'xterm'] as const] : []),
  ])
  for (const line of config.Env ?? []) {
    const equals = line.indexOf('=')
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1))
  }
  for (const [name, value] of request.env) values.set(name, value)
  return [...values].map(([name, value]) => `${name}=${value}`)
}
