import { isAbsolute, normalize } from 'node:path'
import { UserError } from '#diagnostics'
import { defaultCapabilities } from './capabilities.ts'
import { formatFstab, type MountLine } from './fstab.ts'
import type { HostTools } from './host-tools.ts'
import { type EnvironmentPassing, passEnvironment } from './pass-environment.ts'
import {
  coveringMount,
  deviceFlags,
  deviceLinks,
  devices,
  mountType,
  specMount,
  standardMounts,
} from './sandbox-mounts.ts'
import { keeperScript, type MountRound, setupScript } from './sandbox-script.ts'
import type { SandboxMount, SandboxSpec } from './sandbox-spec.ts'

/** What a sandbox does, as data: nothing has happened yet. */
export interface SandboxPlan {
  readonly scratch: string
  /** To make below `scratch`, in order. */
  readonly directories: readonly string[]
  /** To write below `scratch`: path → text. */
  readonly files: readonly (readonly [path: string, text: string])[]
  /** Symbolic links to make below `scratch`: path → target. */
  readonly links: readonly (readonly [path: string, target: string])[]
  /** Mount points relative to the root (the root itself is empty) that must be in the mount table before the command starts. */
  readonly mountPoints: readonly string[]
  /** What to spawn; working directory `cwd`, environment `env`. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** First word of messages from the programs that change to the command: they are not the command's. */
  readonly launcher: string
  readonly command: readonly string[]
  readonly stdio: 'pipe' | 'inherit'
}

/** The name under which the host's setpriv and unshare run: it is the first word of their messages. */
const launcher = 'slipway-launch'

/**
 * Plans the run of one command. Pure. Throws a `UserError` for what this machine can't do (a user other than root with a
 * single mapped id, `none` without a tool for the loopback interface, too many layers, loader variables without a
 * program in the image that sets them).
 */
export function planSandbox(spec: SandboxSpec, host: HostTools): SandboxPlan {
  checkSpec(spec, host)
  const root = `${spec.scratch}/root`
  const links: [string, string][] = deviceLinks.map(([name, target]) => [`dev/${name}`, target])
  const overlay = overlayNames(spec, host, links)
  const rootLine: MountLine =
    spec.root.kind === 'overlay'
      ? { source: 'overlay', target: root, type: 'overlay', options: overlay('', spec.root) }
      : { source: spec.root.path, target: root, type: 'none', options: ['bind', ...deviceFlags(spec, host)] }
  const visible = visibleMounts(spec.mounts)
  const rounds: { lines: MountLine[]; round: MountRound }[] = [
    { lines: [rootLine, ...standardMounts(spec, host, root)], round: { table: 'fstab.0', directories: [], files: [] } },
  ]
  for (const [index, mount] of visible.entries()) {
    const overlayOptions = (): readonly string[] => (mount.kind === 'overlay' ? overlay(`${index}.`, mount) : [])
    const line = specMount(mount, { spec, host, root, overlayOptions })
    // A mount point inside a tmpfs can be made only once the tmpfs is there.
    if (coveringMount(visible, index)?.kind === 'tmpfs') {
      const round = { table: `fstab.${rounds.length}`, ...insideTmpfs(root, mount) }
      rounds.push({ lines: [line], round })
    } else {
      rounds.at(-1)?.lines.push(line)
    }
  }
  for (const [name, path] of Object.entries({ setpriv: host.setpriv, unshare: host.unshare, prlimit: host.prlimit })) {
    if (path !== undefined) links.push([`tools/${name}/${launcher}`, path])
  }
  return {
    scratch: spec.scratch,
    directories: ['root', 'layers', 'empty', 'dev', 'dev/pts', 'dev/shm', 'dev/mqueue'].concat([
      'tools',
      'tools/setpriv',
      'tools/unshare',
      'tools/prlimit',
    ]),
    files: [
      ['hosts', spec.hosts],
      ['resolv.conf', spec.resolvConf],
      ...devices.map((name): [string, string] => [`dev/${name}`, '']),
      ...rounds.map(({ lines, round }): [string, string] => [round.table, formatFstab(lines)]),
    ],
    links,
    mountPoints: rounds.flatMap(({ lines }) => lines.map(line => line.target.slice(root.length))),
    argv: commandLine(
      spec,
      host,
      rounds.map(({ round }) => round),
    ),
    env: { PATH: host.path, LC_ALL: 'C', LIBMOUNT_FORCE_MOUNT2: 'always' },
    cwd: `${spec.scratch}/layers`,
    launcher,
    command: spec.argv,
    stdio: spec.stdio,
  }
}

/** node → unshare → keeper → unshare → set-up → setpriv → unshare → command; only the arrows before the keepers fork. */
function commandLine(spec: SandboxSpec, host: HostTools, rounds: readonly MountRound[]): string[] {
  const loopback = spec.network === 'none'
  const namespaces = ['--mount', '--ipc', '--uts', '--pid']
    .concat(loopback ? ['--net'] : [])
    .concat(host.cgroup2 ? ['--cgroup'] : [])
  const setup = setupScript(host, { rounds, hostname: spec.hostname, loopback })
  return [
    ...[
      `${spec.scratch}/tools/unshare/${launcher}`,
      ...namespaces,
      '--fork',
      '--kill-child',
      '--propagation',
      'private',
      '--',
    ],
    ...[host.sh, '-c', keeperScript, 'keeper'],
    ...[host.unshare, '--pid', '--fork', '--'],
    ...[host.sh, '-c', setup, 'setup'],
    ...launchArguments(spec, host),
  ]
}

/** Arguments of the set-up script: variables to export, `--`, the programs that lead to the command. */
function launchArguments(spec: SandboxSpec, host: HostTools): string[] {
  const passing = passEnvironment(spec, { plainShell: host.plainShell })
  const tool = (name: string): string => `${spec.scratch}/tools/${name}/${launcher}`
  const { uid, gid, groups } = spec.user
  const setGroups = groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]
  const limits = (spec.ulimits ?? []).map(({ name, soft, hard }) => `--${name}=${limit(soft)}:${limit(hard)}`)
  const bounding = ['-all', ...defaultCapabilities.map(name => `+${name}`)].join(',')
  const clean = passing.kind === 'clean' || (passing.kind === 'inside-sh' && !host.plainShell)
  return [
    ...(clean ? [] : passing.outside),
    '--',
    ...(limits.length > 0 ? [tool('prlimit'), ...limits] : []),
    ...[tool('setpriv'), '--regid', String(gid), ...(host.manyIds ? setGroups : ['--keep-groups'])],
    ...(spec.privileges === 'sandbox' ? ['--inh-caps=-all', `--bounding-set=${bounding}`] : []),
    ...(clean ? [host.env, '-i', ...passing.outside] : []),
    ...[tool('unshare'), '--root=.', `--wd=${spec.workdir}`, ...(uid === 0 ? [] : [`--setuid=${uid}`]), '--'],
    ...insideWords(passing),
    ...spec.argv,
  ]
}

function insideWords(passing: EnvironmentPassing): string[] {
  switch (passing.kind) {
    case 'direct':
    case 'clean':
      return []
    case 'inside-env':
      return [passing.program, '-i', ...passing.inside]
    case 'inside-sh': {
      const script = 'until [ "$1" = -- ]; do export "$1"; shift; done; shift; exec "$@"'
      return [passing.program, '-c', script, 'sh', ...passing.inside, '--']
    }
  }
}

function limit(value: number): string {
  return value === -1 ? 'unlimited' : String(value)
}

/**
 * Makes overlay options with short names: every layer gets a symbolic link in the directory in which mount(8) runs. The
 * kernel takes one page of options, and a path may hold `:` and `,`.
 */
function overlayNames(
  spec: SandboxSpec,
  host: HostTools,
  links: [string, string][],
): (
  prefix: string,
  overlay: { lower: readonly string[]; upper: string; work: string; volatile?: boolean },
) => readonly string[] {
  return (prefix, { lower, upper, work, volatile }) => {
    const name = (suffix: string, target: string): string => {
      links.push([`layers/${prefix}${suffix}`, target])
      return prefix + suffix
    }
    const layers = lower.length === 0 ? [`${spec.scratch}/empty`] : lower
    return [
      `lowerdir=${layers.map((path, index) => name(index.toString(36), path)).join(':')}`,
      `upperdir=${name('upper', upper)}`,
      `workdir=${name('work', work)}`,
      // The upper directory has to be a plain layer, whatever the kernel's defaults are.
      ...(host.rootless ? ['userxattr'] : ['redirect_dir=off', 'metacopy=off']),
      'index=off',
      ...(volatile ? ['volatile'] : []),
      ...deviceFlags(spec, host),
    ]
  }
}

/** Without those that a later mount covers whole. */
function visibleMounts(mounts: readonly SandboxMount[]): readonly SandboxMount[] {
  return mounts.filter(
    (mount, index) => !mounts.slice(index + 1).some(({ target }) => `${mount.target}/`.startsWith(`${target}/`)),
  )
}

function insideTmpfs(root: string, mount: SandboxMount): { directories: string[]; files: string[] } {
  const path = root + mount.target
  return mountType(mount) === 'directory'
    ? { directories: [path], files: [] }
    : { directories: [path.slice(0, path.lastIndexOf('/'))], files: [path] }
}

const limitNames = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

function checkSpec(spec: SandboxSpec, host: HostTools): void {
  if (spec.argv.length === 0 || spec.argv.some(word => word.includes('\0'))) throw new Error('argv without a program')
  const inside = [spec.workdir, ...spec.mounts.map(mount => mount.target), ...(spec.resolved?.values() ?? [])]
  const outside = [spec.scratch, ...spec.mounts.flatMap(mount => (mount.kind === 'bind' ? [mount.source] : []))]
  for (const path of [...inside, ...outside]) {
    if (!isAbsolute(path) || normalize(path) !== path || (path !== '/' && path.endsWith('/')) || path.includes('\0')) {
      throw new Error(`not a normalised absolute path: ${path}`)
    }
  }
  if (spec.mounts.some(mount => mount.target === '/')) throw new Error('a mount on the root')
  for (const overlay of [spec.root, ...spec.mounts]) {
    if (overlay.kind === 'overlay' && overlay.lower.length > 500) {
      throw new UserError(`${overlay.lower.length} layers are more than the kernel can stack (500)`, {
        hint: 'join RUN instructions, or start from an image with fewer layers',
      })
    }
  }
  checkMachine(spec, host)
}

function checkMachine(spec: SandboxSpec, host: HostTools): void {
  const { uid, gid, groups } = spec.user
  if (!host.manyIds && [uid, gid, ...groups].some(id => id !== 0)) {
    throw new UserError(`user ${uid}:${gid} does not exist here: only one id is mapped into the user namespace`, {
      hint: 'give your user a range in /etc/subuid and /etc/subgid and install the package uidmap, or run as root',
    })
  }
  if (spec.network === 'none' && host.loopbackUp === undefined) {
    throw new UserError('network "none" needs a program that sets the loopback interface up', {
      hint: 'install the package iproute2',
    })
  }
  for (const { name } of spec.ulimits ?? []) {
    if (!limitNames.has(name)) {
      throw new UserError(`unknown resource limit ${name}`, { hint: `known are ${[...limitNames].join(', ')}` })
    }
  }
  if (spec.ulimits?.length && host.prlimit === undefined) {
    throw new UserError('resource limits need prlimit on this machine', { hint: 'install the package util-linux' })
  }
}
