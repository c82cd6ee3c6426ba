import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { UserError } from '#diagnostics'
import { readableProcPaths } from './masked-paths.ts'
import { mountOptionsOf, ownMounts } from './mount-info.ts'
import { canComeBack } from './sandbox-keeper.ts'

/** What the host offers to a sandbox: facts, looked up once. */
export interface HostTools {
  /** Absolute paths. */
  readonly sh: string
  readonly mount: string
  readonly unshare: string
  readonly setpriv: string
  readonly env: string
  readonly mkdir: string
  readonly prlimit: string | undefined
  readonly hostname: string | undefined
  /** A command that sets the loopback interface up in its network namespace. */
  readonly loopbackUp: readonly string[] | undefined
  /** The search path that the tools themselves get. */
  readonly path: string
  /** We are root only inside a user namespace. */
  readonly rootless: boolean
  /** We can start children in another pid namespace and come back: one keeper does for all sandboxes. */
  readonly sharedKeeper: boolean
  /** Group 5 (tty) and `setgroups` exist here: false in a user namespace with a single id. */
  readonly manyIds: boolean
  /** The unified control group hierarchy is mounted. */
  readonly cgroup2: boolean
  /** Which of the paths to mask or to protect exist on this kernel. */
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>
  /** Mount flags (`nosuid`, `nodev` …) of the file system that holds a path of the host. */
  mountFlags(path: string): readonly string[]
}

/** Debian's package of each tool. */
export const toolPackages = {
  sh: 'dash',
  mount: 'mount',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  env: 'coreutils',
  mkdir: 'coreutils',
  prlimit: 'util-linux',
  hostname: 'hostname',
} as const

/** Absolute path of a program in `path` (colon-separated), or undefined. */
export function findProgram(name: string, path: string): string | undefined {
  for (const directory of path.split(delimiter)) {
    if (!isAbsolute(directory)) continue
    const candidate = join(directory, name)
    try {
      accessSync(candidate, constants.X_OK)
      if (statSync(candidate).isFile()) return candidate
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}

/** The caller's PATH and the system directories, which an ordinary user's PATH often lacks. */
export function hostSearchPath(path: string | undefined): string {
  return [path, '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(delimiter)
}

/**
 * Looks up what a sandbox needs. `path` is the PATH to search first, usually that of the environment. Throws a
 * `UserError` with the packages to install when a required tool is missing.
 */
export function findHostTools(path: string | undefined): HostTools {
  const searchPath = hostSearchPath(path)
  const missing: (keyof typeof toolPackages)[] = []
  const need = (name: keyof typeof toolPackages): string => {
    const found = findProgram(name, searchPath)
    if (found === undefined) missing.push(name)
    return found ?? ''
  }
  const required = {
    sh: need('sh'),
    mount: need('mount'),
    unshare: need('unshare'),
    setpriv: need('setpriv'),
    env: need('env'),
    mkdir: need('mkdir'),
  }
  if (missing.length > 0) {
    throw new UserError(`RUN needs ${missing.join(', ')} on this machine`, {
      hint: `install the packages ${[...new Set(missing.map(name => toolPackages[name]))].join(', ')}; "slipway doctor" checks everything`,
    })
  }
  const ids = ownIdMap()
  const table = ownMounts()
  return {
    ...required,
    prlimit: findProgram('prlimit', searchPath),
    hostname: findProgram('hostname', searchPath),
    loopbackUp: findLoopbackUp(searchPath),
    path: searchPath,
    rootless: !ids.initial,
    sharedKeeper: ids.initial && canComeBack(),
    manyIds: ids.count > 5,
    cgroup2: table.some(mount => mount.point === '/sys/fs/cgroup' && mount.type === 'cgroup2'),
    kernelPaths: readableProcPaths(),
    mountFlags: source => mountOptionsOf(table, realpathSync(source)),
  }
}

/** Is every id mapped to itself (no user namespace), and how many ids are there? */
function ownIdMap(): { initial: boolean; count: number } {
  const lines = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
  const ranges = lines.map(line => line.trim().split(/\s+/).map(Number))
  const count = ranges.reduce((sum, range) => sum + (range[2] ?? 0), 0)
  const first = ranges[0]
  return { initial: ranges.length === 1 && first?.[0] === 0 && first[1] === 0 && count >= 4294967295, count }
}

/** Nothing in util-linux can do it, so: iproute2, net-tools, or the perl that every Debian has. */
function findLoopbackUp(path: string): readonly string[] | undefined {
  const ip = findProgram('ip', path)
  if (ip) return [ip, 'link', 'set', 'lo', 'up']
  const ifconfig = findProgram('ifconfig', path)
  if (ifconfig) return [ifconfig, 'lo', 'up']
  const perl = findProgram('perl', path)
  if (!perl) return undefined
  // AF_INET, SOCK_DGRAM; SIOCSIFFLAGS with IFF_UP | IFF_RUNNING in a struct ifreq.
  const program =
    'socket(my $s, 2, 2, 0) or die $!; my $r = pack("a16 s x22", "lo", 0x41); ioctl($s, 0x8914, $r) or die $!'
  return [perl, '-e', program]
}
