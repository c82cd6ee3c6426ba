import { mkdirSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { type ForwardedAgent, forwardAgent, type SandboxMount } from '#linux'
import type { RunMount, RunStep } from '#plan'
import type { RunSettings } from './step-kind.ts'

type Ssh = Extract<RunMount, { type: 'ssh' }>

/** One agent in a sandbox. */
export interface SshMount {
  readonly mount: SandboxMount
  /** To be disposed when the command has ended. */
  readonly agent: ForwardedAgent
  /** `SSH_AUTH_SOCK=…` for the first agent, unless the command has that variable already. */
  readonly env: readonly string[]
}

export interface SshMountOptions {
  readonly runs: RunSettings
  /** A path for a directory of this mount. */
  readonly place: string
  /** What the command has besides the variables of the step. */
  readonly env: readonly string[]
}

/** Forwards an agent (11.9). Undefined without one; a `UserError` when the mount is required. */
export async function prepareSsh(
  step: RunStep,
  mount: Ssh,
  { runs, place, env }: SshMountOptions,
): Promise<SshMount | undefined> {
  const source = runs.ssh?.get(mount.id)
  if (!source) {
    if (!mount.required) return undefined
    throw new UserError(`ssh key "${mount.id}" not found`, {
      hint: `give the build an agent with --ssh ${mount.id}, or a key with --ssh ${mount.id}=FILE`,
      at: mount.place,
    })
  }
  mkdirSync(place, { mode: 0o711 })
  const { mode, uid, gid } = mount
  const agent = await forwardAgent({ agent: await source.socket(), directory: place, mode, uid, gid })
  const target = mount.target ?? '/run/buildkit/ssh_agent.0'
  const known = [...step.env, ...env].some(line => line.startsWith('SSH_AUTH_SOCK='))
  return {
    mount: { kind: 'bind', source: agent.path, target, readonly: true, type: 'file' },
    agent,
    env: known ? [] : [`SSH_AUTH_SOCK=${target}`],
  }
}
