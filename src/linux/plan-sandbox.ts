import { checkSandbox } from './check-sandbox.ts'
import { formatFstab, type MountLine } from './fstab.ts'
import type { HostTools } from './host-tools.ts'
import { launcher, sandboxCommand, toolLinks } from './sandbox-command.ts'
import { type KeeperCommand, keeperCommand } from './sandbox-keeper.ts'
import {
  coveringMount,
  deviceFlags,
  deviceLinks,
  devices,
  mountType,
  specMount,
  standardMounts,
} from './sandbox-mounts.ts'
import { type MountRound, newRoot } from './sandbox-script.ts'
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
  /** What has to run before, once for all sandboxes; without it, the sandbox has a keeper of its own. */
  readonly keeper?: KeeperCommand
  /** What to spawn; working directory `cwd`, environment `env`. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** How messages begin of the programs that change to the command: they are not the command's. */
  readonly launcher: string
  readonly command: readonly string[]
  readonly stdio: 'pipe' | 'inherit'
}

/**
 * Plans the run of one command. Pure. Throws a `UserError` for what this machine can't do (a user other than root with a
 * single mapped id, `none` without a tool for the loopback interface, too many layers, loader variables without a
 * program in the image that sets them).
 */
export function planSandbox(spec: SandboxSpec, host: HostTools): SandboxPlan {
  checkSandbox(spec, host)
  const root = newRoot
  const links: [string, string][] = deviceLinks.map(([name, target]) => [`dev/${name}`, target])
  // As runc does: only where the kernel has it.
  if (host.kernelPaths.has('/proc/kcore')) links.push(['dev/core', '/proc/kcore'])
  links.push(...toolLinks(host))
  const overlay = overlayNames(spec, host, links)
  const rootLine: MountLine =
    spec.root.kind === 'overlay'
      ? { source: 'overlay', target: root, type: 'overlay', options: overlay('', spec.root) }
      : { source: spec.root.path, target: root, type: 'none', options: ['bind', ...deviceFlags(spec, host)] }
  const visible = visibleMounts(spec.mounts)
  const inDev = mountPointsInDev(visible)
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
  return {
    scratch: spec.scratch,
    directories: ['layers', 'empty', 'tools', 'dev', 'dev/pts', 'dev/shm', 'dev/mqueue', ...inDev.directories],
    files: [
      ...inDev.files,
      ['hosts', spec.hosts],
      ['resolv.conf', spec.resolvConf],
      ...devices.map((name): [string, string] => [`dev/${name}`, '']),
      ...rounds.map(({ lines, round }): [string, string] => [round.table, formatFstab(lines)]),
    ],
    links,
    mountPoints: rounds.flatMap(({ lines }) => lines.map(line => line.target.slice(root.length))),
    ...(host.sharedKeeper && { keeper: keeperCommand(host) }),
    argv: sandboxCommand(
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

/** `/dev` is ours, so nothing of the root serves as a mount point in it: they are made below `scratch`. */
function mountPointsInDev(mounts: readonly SandboxMount[]): { directories: string[]; files: [string, string][] } {
  const own = ['/dev/pts', '/dev/shm', '/dev/mqueue', ...devices.map(name => `/dev/${name}`)]
  const inDev = mounts.filter(
    ({ target }, index) => target.startsWith('/dev/') && !own.includes(target) && !coveringMount(mounts, index),
  )
  const directories = new Set<string>()
  for (const mount of inDev) {
    const parts = mount.target.slice(1).split('/')
    const last = mountType(mount) === 'directory' ? parts.length : parts.length - 1
    for (let length = 2; length <= last; length++) directories.add(parts.slice(0, length).join('/'))
  }
  const files = inDev
    .filter(mount => mountType(mount) === 'file')
    .map(({ target }) => [target.slice(1), ''] as [string, string])
  return { directories: [...directories].filter(path => !own.includes(`/${path}`)), files }
}

function insideTmpfs(root: string, mount: SandboxMount): { directories: string[]; files: string[] } {
  const path = root + mount.target
  return mountType(mount) === 'directory'
    ? { directories: [path], files: [] }
    : { directories: [path.slice(0, path.lastIndexOf('/'))], files: [path] }
}
