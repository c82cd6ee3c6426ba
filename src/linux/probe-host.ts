import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { findHostTools, findProgram, type HostTools, hostSearchPath, toolPackages } from './host-tools.ts'
import { ownMounts } from './mount-info.ts'
import { planSandbox } from './plan-sandbox.ts'
import { runSandbox } from './run-sandbox.ts'
import { findUserMapping } from './user-namespace.ts'

/** One thing that was looked at. */
export interface HostCheck {
  /** Short and stable, for programs: `overlay`. */
  readonly id: string
  /** For people: `overlay file systems`. */
  readonly title: string
  /** `missing`: RUN does not work without it. `limited`: something less important does not. */
  readonly state: 'ok' | 'limited' | 'missing'
  /** What was found. */
  readonly detail: string
  /** What to do, for everything that is not `ok`. */
  readonly hint?: string
}

/** What works on this machine. */
export interface HostReport {
  /** How RUN would be isolated now. */
  readonly isolation: 'root' | 'user-namespace' | 'none'
  readonly checks: readonly HostCheck[]
}

export interface ProbeOptions {
  /** PATH of the environment. */
  readonly path: string | undefined
  /** An existing, writable directory on the file system where layers will be. */
  readonly directory: string
}

/** Looks at this machine and tries things out, in namespaces that are gone afterwards. Takes about 50 ms. */
export async function probeHost(options: ProbeOptions): Promise<HostReport> {
  const path = hostSearchPath(options.path)
  const checks = [...toolChecks(path), chrootCheck()]
  if (checks.some(check => check.state === 'missing'))
    return { isolation: 'none', checks: [...checks, ...runtimes(path)] }
  const host = findHostTools(options.path)
  const asRoot = process.getuid?.() === 0
  const attempts = asRoot ? await sandboxChecks(host, options.directory) : ordinaryUserChecks(host, options.directory)
  const all = [...checks, ...attempts, ...(asRoot ? [] : [mappingCheck(options.path)]), ...runtimes(path)]
  const works = all.every(check => check.state !== 'missing')
  return { isolation: works ? (asRoot && !host.rootless ? 'root' : 'user-namespace') : 'none', checks: all }
}

function toolChecks(path: string): HostCheck[] {
  return Object.entries(toolPackages).map(([name, debianPackage]): HostCheck => {
    const id = `tool:${name}`
    const found = findProgram(name, path)
    if (found !== undefined) return { id, title: name, state: 'ok', detail: versionOf(name, found) }
    const optional = name === 'prlimit' || name === 'hostname'
    return {
      id,
      title: name,
      state: optional ? 'limited' : 'missing',
      detail: 'not found',
      hint: `install the package ${debianPackage}`,
    }
  })
}

/** The path, and what the program says about itself where it does. */
function versionOf(name: string, path: string): string {
  if (name === 'sh' || name === 'hostname') return path
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', env: { LC_ALL: 'C' }, timeout: 5000 })
  const [first = ''] = (stdout ?? '').split('\n')
  return first === '' ? path : `${path}: ${first.slice(0, 100)}`
}

/** Outside of an own root mount, `..` out of the sandbox's root would lead to what is above the chroot. */
function chrootCheck(): HostCheck {
  const table = ownMounts()
  const title = 'the root is a mount'
  return table.some(mount => mount.point === '/')
    ? { id: 'root', title, state: 'ok', detail: 'yes' }
    : {
        id: 'root',
        title,
        state: 'limited',
        detail: 'no: this is a chroot',
        hint: 'commands of RUN could leave their root for what is above the chroot; build only what you trust',
      }
}

/** Real sandboxes whose program does not exist: everything before it has to work. */
async function sandboxChecks(host: HostTools, directory: string): Promise<HostCheck[]> {
  const sandbox = await attempt(host, directory, 'host')
  const checks: HostCheck[] = [describe('sandbox', 'namespaces and overlay file systems', sandbox)]
  if (sandbox !== undefined) return checks
  const none = await attempt(host, directory, 'none')
  checks.push({ ...describe('network-none', 'RUN --network=none', none), state: none === undefined ? 'ok' : 'limited' })
  return checks
}

function describe(id: string, title: string, error: UserError | undefined): HostCheck {
  if (error === undefined) return { id, title, state: 'ok', detail: 'tried, works' }
  return { id, title, state: 'missing', detail: [error.message, ...error.details].join('; '), hint: error.hint }
}

async function attempt(host: HostTools, directory: string, network: 'host' | 'none'): Promise<UserError | undefined> {
  const base = mkdtempSync(join(directory, 'probe-'))
  try {
    const at = (name: string): string => join(base, name)
    for (const name of ['upper', 'work', 'scratch', 'lower', 'lower/proc', 'lower/sys', 'lower/dev', 'lower/etc']) {
      mkdirSync(at(name))
    }
    for (const name of ['lower/etc/hosts', 'lower/etc/resolv.conf']) writeFileSync(at(name), '')
    const plan = planSandbox(
      {
        root: { kind: 'overlay', lower: [at('lower')], upper: at('upper'), work: at('work') },
        mounts: [],
        argv: ['/there-is-no-such-program'],
        env: [],
        workdir: '/',
        user: { uid: 0, gid: 0, groups: [] },
        hostname: 'probe',
        network,
        privileges: 'sandbox',
        hosts: '',
        resolvConf: '',
        scratch: at('scratch'),
        stdio: 'pipe',
      },
      host,
    )
    await runSandbox(plan, { onOutput: () => {} })
    return undefined
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.exitCode === 127 ? undefined : error
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

function ordinaryUserChecks(host: HostTools, directory: string): HostCheck[] {
  const namespace = inUserNamespace(host, 'true')
  const title = 'user namespaces for ordinary users'
  if (namespace !== undefined) {
    const hint =
      'run as root, or allow them: sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces > 0'
    return [{ id: 'user-namespace', title, state: 'missing', detail: namespace, hint }]
  }
  const base = mkdtempSync(join(directory, 'probe-'))
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(base, name))
    const options = 'lowerdir=lower,upperdir=upper,workdir=work,userxattr'
    const overlay = inUserNamespace(host, `cd "$1" && "$2" -n -i -c -t overlay -o ${options} overlay merged`, [
      base,
      host.mount,
    ])
    return [
      { id: 'user-namespace', title, state: 'ok', detail: 'tried, works' },
      overlay === undefined
        ? { id: 'overlay', title: 'overlay file systems', state: 'ok', detail: 'tried, works' }
        : {
            id: 'overlay',
            title: 'overlay file systems',
            state: 'missing',
            detail: overlay,
            hint: 'needs Linux 5.11 and a store on a local file system (ext4, xfs, btrfs, tmpfs); or run as root',
          },
    ]
  } finally {
    // The kernel's work directory is there without any permission.
    spawnSync(host.unshare, ['--user', '--map-root-user', '--', 'rm', '-rf', base], { env: { PATH: host.path } })
    rmSync(base, { recursive: true, force: true })
  }
}

/** What went wrong with a script as root of a new user namespace; undefined when nothing did. */
function inUserNamespace(host: HostTools, script: string, words: readonly string[] = []): string | undefined {
  const argv = ['--user', '--map-root-user', '--mount', '--', host.sh, '-c', script, 'sh', ...words]
  const { status, stderr } = spawnSync(host.unshare, argv, {
    encoding: 'utf8',
    env: { PATH: host.path, LC_ALL: 'C', LIBMOUNT_FORCE_MOUNT2: 'always' },
  })
  return status === 0 ? undefined : (stderr ?? '').trim().replaceAll('\n', '; ') || `exit code ${status}`
}

function mappingCheck(path: string | undefined): HostCheck {
  const title = 'subordinate ids'
  const mapping = findUserMapping(path)
  switch (mapping.kind) {
    case 'ranges': {
      const count = mapping.uids.reduce((sum, range) => sum + range.count, 0)
      return { id: 'subordinate-ids', title, state: 'ok', detail: `${count} user ids` }
    }
    case 'single':
      return {
        id: 'subordinate-ids',
        title,
        state: 'limited',
        detail: mapping.reason,
        hint: 'only root exists inside images: chown and USER fail. Install uidmap, then: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
      }
  }
}

/** For information: nothing here depends on them. */
function runtimes(path: string): HostCheck[] {
  return ['crun', 'runc'].map((name): HostCheck => {
    const found = findProgram(name, path)
    const detail = found === undefined ? 'not found (not needed)' : versionOf(name, found)
    return { id: `runtime:${name}`, title: name, state: 'ok', detail }
  })
}
