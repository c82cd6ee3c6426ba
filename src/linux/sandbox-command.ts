import { defaultCapabilities } from './capabilities.ts'
import type { HostTools } from './host-tools.ts'
import { type EnvironmentPassing, passEnvironment } from './pass-environment.ts'
import { type MountRound, newRoot, ownKeeperScript, setupScript } from './sandbox-script.ts'
import type { SandboxSpec } from './sandbox-spec.ts'

/**
 * How the names begin under which the host's tools run: they are the first word of the tools' messages, so those can be
 * told from the command's.
 */
export const launcher = 'slipway-launch'

const toolNames = { unshare: launcher, setpriv: `${launcher}-as`, prlimit: `${launcher}-limited` } as const

/** Links in the scratch directory that give the tools these names. */
export function toolLinks(host: HostTools): [path: string, target: string][] {
  return (['unshare', 'setpriv', 'prlimit'] as const).flatMap(name => {
    const path = host[name]
    return path === undefined ? [] : [[`tools/${toolNames[name]}`, path]]
  })
}

/**
 * What to spawn for a sandbox, inside the keeper's pid namespace:
 *
 * unshare ⇉ set-up → setpriv → env → unshare → command (⇉ forks, → executes in the same process).
 *
 * An ordinary user's process could not leave that namespace again, so there each sandbox has a keeper of its own:
 *
 * unshare ⇉ keeper ⇉ unshare ⇉ …
 */
export function sandboxCommand(spec: SandboxSpec, host: HostTools, rounds: readonly MountRound[]): string[] {
  const loopback = spec.network === 'none'
  const namespaces = ['--mount', '--ipc', '--uts', '--pid']
    .concat(loopback ? ['--net'] : [])
    .concat(host.cgroup2 ? ['--cgroup'] : [])
  const setup = setupScript(host, { rounds, hostname: spec.hostname, loopback })
  const unshare = [tool(spec, 'unshare'), ...namespaces, '--fork', '--kill-child', '--propagation', 'private', '--']
  const ownKeeper = [host.sh, '-c', ownKeeperScript, 'keeper', host.unshare, '--pid', '--fork', '--']
  const first = [host.sh, '-c', setup, 'setup', ...launchArguments(spec, host)]
  return [...unshare, ...(host.sharedKeeper ? [] : ownKeeper), ...first]
}

function tool(spec: SandboxSpec, name: keyof typeof toolNames): string {
  return `${spec.scratch}/tools/${toolNames[name]}`
}

/** Arguments of the set-up script: the programs that lead to the command. */
function launchArguments(spec: SandboxSpec, host: HostTools): string[] {
  const { outside, inside } = passEnvironment(spec)
  const { uid, gid, groups } = spec.user
  const setGroups = groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]
  const limits = (spec.ulimits ?? []).map(({ name, soft, hard }) => `--${name}=${limit(soft)}:${limit(hard)}`)
  const bounding = ['-all', ...defaultCapabilities.map(name => `+${name}`)].join(',')
  const setpriv = ['--regid', String(gid)]
    .concat(host.manyIds ? setGroups : ['--keep-groups'])
    .concat(spec.privileges === 'sandbox' ? ['--inh-caps=-all', `--bounding-set=${bounding}`] : [])
  const unshare = [`--root=${newRoot}`, `--wd=${spec.workdir}`].concat(uid === 0 ? [] : [`--setuid=${uid}`])
  return [
    ...(limits.length > 0 ? [tool(spec, 'prlimit'), ...limits] : []),
    tool(spec, 'setpriv'),
    ...setpriv,
    host.env,
    '-i',
    ...outside,
    tool(spec, 'unshare'),
    ...unshare,
    '--',
    ...insideWords(inside),
    ...spec.argv,
  ]
}

function insideWords(inside: EnvironmentPassing['inside']): string[] {
  switch (inside?.kind) {
    case undefined:
      return []
    case 'env':
      return [inside.program, '-i', ...inside.variables]
    case 'sh': {
      const script = 'until [ "$1" = -- ]; do export "$1"; shift; done; shift; exec "$@"'
      return [inside.program, '-c', script, 'sh', ...inside.variables, '--']
    }
  }
}

function limit(value: number): string {
  return value === -1 ? 'unlimited' : String(value)
}
