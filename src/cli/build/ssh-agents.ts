import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SshSource } from '#build'
import { UserError } from '#diagnostics'
import { startAgent, type StartedAgent } from '#linux'
import type { CliContext } from '../context.ts'
import type { SshOption } from '../options/ssh.ts'

/** The agents of `--ssh` by id. Disposing ends those that were started. */
export interface SshAgents extends AsyncDisposable {
  readonly byId: ReadonlyMap<string, SshSource>
}

/** Looks where each agent is; throws a `UserError` for one that is not there. Key files get an agent when it is asked for. */
export function openSshAgents(options: readonly SshOption[], context: CliContext): SshAgents {
  const started: Promise<StartedAgent>[] = []
  const byId = new Map(
    options.map(option => {
      const found = locate(option, context)
      if (typeof found === 'string') return [option.id, { socket: async () => found }] as const
      let agent: Promise<StartedAgent> | undefined
      const start = (): Promise<StartedAgent> => {
        const fresh = startAgent({
          keys: found,
          path: context.environment['PATH'],
          signal: context.interrupts.signal,
        })
        started.push(fresh)
        return fresh
      }
      return [option.id, { socket: async () => (await (agent ??= start())).socket }] as const
    }),
  )
  return {
    byId,
    [Symbol.asyncDispose]: async () => {
      for (const each of await Promise.allSettled(started))
        if (each.status === 'fulfilled') await each.value[Symbol.asyncDispose]()
    },
  }
}

/** The path of a socket, or the paths of keys. */
function locate({ id, paths }: SshOption, { environment, directory }: CliContext): string | readonly string[] {
  if (paths.length === 0) {
    const socket = environment['SSH_AUTH_SOCK']
    if (socket !== undefined && statSync(socket, { throwIfNoEntry: false })?.isSocket()) return socket
    throw new UserError(
      `--ssh ${id}: there is no agent: SSH_AUTH_SOCK ${socket === undefined ? 'is not set' : 'names no socket'}`,
      {
        hint: `start one with "eval $(ssh-agent)" and "ssh-add", or name a key: --ssh ${id}=FILE`,
      },
    )
  }
  const absolute = paths.map(path => resolve(directory, path))
  const sockets = absolute.filter(path => kindOf(id, path) === 'socket')
  const [socket] = sockets
  if (socket === undefined) return absolute
  if (absolute.length === 1) return socket
  throw new UserError(`--ssh ${id}: ${socket} is a socket, beside other paths`, {
    hint: 'name one socket, or key files',
  })
}

function kindOf(id: string, path: string): 'socket' | 'file' {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isSocket()) return 'socket'
  if (found?.isFile()) return 'file'
  throw new UserError(`--ssh ${id}: there is no key or socket ${path}`, { hint: 'check the path' })
}
