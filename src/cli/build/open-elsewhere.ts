import { openHttp } from '#http'
import { openRemote, type Remote } from '#sources'
import type { Store } from '#store'
import type { BuildFlags } from '../commands/build.ts'
import type { CliContext } from '../context.ts'
import { readSecrets } from './read-secrets.ts'
import { openSshAgents, type SshAgents } from './ssh-agents.ts'

/** Where a build gets what is not on this machine. Disposing closes the connections and ends agents. */
export interface Elsewhere extends AsyncDisposable {
  readonly store: Store
  readonly remote: Remote
  readonly agents: SshAgents
}

/** Opens the way out for one command; nothing is asked before something is wanted. */
export function openElsewhere(store: Store, flags: BuildFlags, context: CliContext): Elsewhere {
  const { environment, interrupts } = context
  const secrets = readSecrets(flags.secret ?? [], context)
  const agents = openSshAgents(flags.ssh ?? [], context)
  const http = openHttp({ env: environment })
  const remote = openRemote({
    store,
    http,
    environment,
    secret: async id => secrets.get(id)?.read(),
    sshSocket: async () => agents.byId.get('default')?.socket(),
    signal: interrupts.signal,
  })
  return {
    store,
    remote,
    agents,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]()
      await agents[Symbol.asyncDispose]()
    },
  }
}
