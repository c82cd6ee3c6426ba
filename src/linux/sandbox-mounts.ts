import { UserError } from '#diagnostics'
import type { MountLine } from './fstab.ts'
import type { HostTools } from './host-tools.ts'
import { maskedPaths, readonlyPaths } from './masked-paths.ts'
import type { BindMount, SandboxMount, SandboxSpec } from './sandbox-spec.ts'

/** A mount point that must exist in the root before a sandbox starts. */
export interface MountPoint {
  readonly path: string
  readonly type: 'directory' | 'file'
}

/** Devices of the minimal `/dev`. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const

/** Symbolic links of the minimal `/dev`: name → target. */
export const deviceLinks = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
] as const

/**
 * Everything that has to exist in the root: the standard mount points, then those of `mounts` which are not inside an
 * earlier tmpfs. Paths as a person writes them: links of the root are not followed yet.
 */
export function sandboxMountPoints(spec: Pick<SandboxSpec, 'mounts'>): readonly MountPoint[] {
  const own = spec.mounts
    .filter((_, index) => coveringMount(spec.mounts, index)?.kind !== 'tmpfs')
    .map((mount): MountPoint => ({ path: mount.target, type: mountType(mount) }))
  return [
    { path: '/proc', type: 'directory' },
    { path: '/sys', type: 'directory' },
    { path: '/dev', type: 'directory' },
    { path: '/etc/hosts', type: 'file' },
    { path: '/etc/resolv.conf', type: 'file' },
    ...own,
  ]
}

export function mountType(mount: SandboxMount): 'directory' | 'file' {
  return mount.kind === 'bind' ? (mount.type ?? 'directory') : 'directory'
}

/** The last earlier mount whose target is strictly above that of `mounts[index]`. */
export function coveringMount(mounts: readonly SandboxMount[], index: number): SandboxMount | undefined {
  const target = mounts[index]?.target ?? ''
  return mounts.slice(0, index).findLast(earlier => target.startsWith(`${earlier.target}/`))
}

/** Mounts of every sandbox, below `root` (a path of the host where the root is already mounted). */
export function standardMounts(spec: SandboxSpec, host: HostTools, root: string): MountLine[] {
  const at = (path: string): string => root + (spec.resolved?.get(path) ?? path)
  const quiet = ['nosuid', 'noexec', 'nodev']
  const dev = at('/dev')
  const ownFile = ['bind', 'ro', ...lockedFlags(host, spec.scratch)]
  return [
    { source: 'proc', target: at('/proc'), type: 'proc', options: quiet },
    ...sysMounts(spec, host, at('/sys')),
    { source: `${spec.scratch}/dev`, target: dev, type: 'none', options: ['bind', ...deviceFlags(spec, host)] },
    ...devices.map(name => ({
      source: `/dev/${name}`,
      target: `${dev}/${name}`,
      type: 'none',
      options: ['bind'],
    })),
    {
      source: 'devpts',
      target: `${dev}/pts`,
      type: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        // Group tty, where that id exists.
        ...(host.manyIds ? ['gid=5'] : []),
      ],
    },
    { source: 'mqueue', target: `${dev}/mqueue`, type: 'mqueue', options: quiet },
    {
      source: 'shm',
      target: `${dev}/shm`,
      type: 'tmpfs',
      options: [...quiet, 'mode=1777', `size=${spec.shmSize ?? 64 * 1024 * 1024}`],
    },
    { source: `${spec.scratch}/hosts`, target: at('/etc/hosts'), type: 'none', options: ownFile },
    { source: `${spec.scratch}/resolv.conf`, target: at('/etc/resolv.conf'), type: 'none', options: ownFile },
    ...(spec.privileges === 'sandbox' ? protections(host, at) : []),
  ]
}

/**
 * A new sysfs belongs to a network namespace, and only the root of the user namespace that owns that may mount one: with
 * the host's network, an ordinary user gets the host's own mounts instead.
 */
function sysMounts(spec: SandboxSpec, host: HostTools, target: string): MountLine[] {
  const access = spec.privileges === 'sandbox' ? ['ro'] : []
  const flags = ['nosuid', 'noexec', 'nodev', ...access]
  const sys: MountLine =
    host.rootless && spec.network === 'host'
      ? { source: '/sys', target, type: 'none', options: ['rbind', ...access, ...lockedFlags(host, '/sys')] }
      : { source: 'sysfs', target, type: 'sysfs', options: flags }
  if (!host.cgroup2) return [sys]
  return [sys, { source: 'cgroup2', target: `${target}/fs/cgroup`, type: 'cgroup2', options: flags }]
}

function protections(host: HostTools, at: (path: string) => string): MountLine[] {
  // Only /proc and /sys themselves can be behind a link of the root, so what is below is found through them.
  const below = (path: string): string => at(path.slice(0, path.indexOf('/', 1))) + path.slice(path.indexOf('/', 1))
  const masks = maskedPaths.flatMap((path): MountLine[] => {
    const type = host.kernelPaths.get(path)
    if (type === undefined) return []
    return type === 'file'
      ? [{ source: '/dev/null', target: below(path), type: 'none', options: ['bind'] }]
      : [
          {
            source: 'tmpfs',
            target: below(path),
            type: 'tmpfs',
            options: ['ro', 'nosuid', 'noexec', 'nodev', 'size=0'],
          },
        ]
  })
  const locks = readonlyPaths.flatMap((path): MountLine[] =>
    host.kernelPaths.has(path)
      ? [
          {
            source: below(path),
            target: below(path),
            type: 'none',
            options: ['bind', 'ro', 'nosuid', 'noexec', 'nodev'],
          },
        ]
      : [],
  )
  return [...masks, ...locks]
}

/** Mounts that the caller asked for, in order. `overlayOptions` names the layers of an overlay. */
export function specMount(
  mount: SandboxMount,
  context: {
    readonly spec: SandboxSpec
    readonly host: HostTools
    readonly root: string
    readonly overlayOptions: () => readonly string[]
  },
): MountLine {
  const { spec, host } = context
  const target = context.root + mount.target
  switch (mount.kind) {
    case 'bind':
      return { source: mount.source, target, type: 'none', options: bindOptions(mount, spec, host) }
    case 'tmpfs': {
      const size = mount.size === undefined ? [] : [`size=${mount.size}`]
      const mode = `mode=${(mount.mode ?? 0o1777).toString(8)}`
      return { source: 'tmpfs', target, type: 'tmpfs', options: ['nosuid', 'nodev', mode, ...size] }
    }
    case 'overlay':
      return { source: 'overlay', target, type: 'overlay', options: context.overlayOptions() }
  }
}

function bindOptions(mount: BindMount, spec: SandboxSpec, host: HostTools): string[] {
  if (mount.recursive && mount.readonly) {
    throw new UserError(`the bind mount ${mount.target} can't be read-only and recursive`, {
      hint: 'mounts below the source would stay writable; leave one of the two out',
    })
  }
  const flags = deviceFlags(spec, host)
  if (!mount.readonly) return [mount.recursive ? 'rbind' : 'bind', ...flags]
  return ['bind', 'ro', ...flags, ...lockedFlags(host, mount.source)]
}

/**
 * Docker's capability set has `mknod`, and without a device control group only `nodev` keeps the host's disks out of
 * reach. In a user namespace the kernel does that itself.
 */
export function deviceFlags(spec: Pick<SandboxSpec, 'privileges'>, host: Pick<HostTools, 'rootless'>): string[] {
  return spec.privileges === 'sandbox' && !host.rootless ? ['nodev'] : []
}

function lockedFlags(host: HostTools, source: string): string[] {
  return host.rootless ? host.mountFlags(source).filter(flag => flag !== 'ro') : []
}
