import { chmodSync, mkdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { UserError } from '#diagnostics'
import { type BindMount, type HostTools, planSandbox, runSandbox, sandboxMountPoints, type SandboxSpec } from '#linux'
import type { Activity } from './compose-options.ts'
import type { RootDirectory } from './root-directory.ts'

/** A package for the script: its name with the architecture where dpkg wants it, and its .deb's digest. */
export interface ScriptPackage {
  readonly name: string
  readonly infoName: string
  readonly architecture: string
  readonly sha256: string
}

export interface ConfigureScript {
  /** Packages unpacked already whose preinst scripts act; they run first, in this order. */
  readonly preinst: readonly ScriptPackage[]
  readonly rounds: readonly {
    readonly configure: readonly ScriptPackage[]
    readonly unpack: readonly ScriptPackage[]
  }[]
  /** Packages to be configured before all others. */
  readonly first: readonly ScriptPackage[]
  /** What programs of several are to be, where their packages offer the choice; paths are absolute. */
  readonly alternatives: readonly { readonly name: string; readonly target: string }[]
}

/** Where the package files are inside the sandbox. */
const packagesDirectory = '/run/slipway-packages'

/**
 * Control files of packages whose preinst scripts run, one directory a package: each is moved to where dpkg has it meanwhile,
 * which debconf looks at.
 */
export const preinstDirectory = '/var/lib/dpkg/slipway-preinst'

/** The shell script that configures a root's packages: what `dpkg --install` would run, in the same order. */
export function configureScript({ preinst, first, rounds, alternatives }: ConfigureScript): string {
  const dpkg = 'dpkg --force-unsafe-io'
  const names = (packages: readonly ScriptPackage[]): string => packages.map(({ infoName }) => infoName).join(' ')
  return [
    'set -e',
    'cd /',
    'preinst() {',
    `  mv ${preinstDirectory}/$1 /var/lib/dpkg/tmp.ci`,
    '  DPKG_MAINTSCRIPT_PACKAGE=$1 DPKG_MAINTSCRIPT_ARCH=$2 DPKG_MAINTSCRIPT_NAME=preinst \\',
    '  DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= /var/lib/dpkg/tmp.ci/preinst install ||',
    '  { echo "the preinst script of $1 failed" >&2; exit 1; }',
    '  rm -r /var/lib/dpkg/tmp.ci',
    '}',
    ...preinst.map(({ name, architecture }) => `preinst ${name} ${architecture}`),
    `rm -rf ${preinstDirectory}`,
    ...(first.length > 0 ? [`${dpkg} --configure ${names(first)}`] : []),
    ...rounds.flatMap(({ configure, unpack }) => [
      ...(configure.length > 0 ? [`${dpkg} --configure ${names(configure)}`] : []),
      `${dpkg} --unpack ${unpack.map(({ sha256 }) => `${packagesDirectory}/${sha256}`).join(' ')}`,
    ]),
    `${dpkg} --configure -a`,
    // Chosen as an administrator does, so that a package that comes later does not choose again.
    'choose() {',
    '  if update-alternatives --list "$1" 2>/dev/null | grep -qxF -e "$2"; then update-alternatives --set "$1" "$2"; fi',
    '}',
    ...alternatives.map(({ name, target }) => `choose ${quoted(name)} ${quoted(target)}`),
    '',
  ].join('\n')
}

/** One word of a shell command. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

export interface ConfigureOptions {
  readonly root: RootDirectory
  readonly script: string
  /** Directory with the .deb files, each named by its digest. */
  readonly packages: string
  /** An existing directory for temporary files. */
  readonly scratch: string
  readonly host: HostTools
  /** Seconds since 1970 that programs take for "now" where they can. */
  readonly epoch: number
  readonly activity: Activity
  readonly signal: AbortSignal | undefined
}

/**
 * Runs the maintainer scripts in a sandbox without network, in which no service is started. Throws a `UserError` with the last
 * lines of the output when one fails.
 */
export async function configurePackages(options: ConfigureOptions): Promise<void> {
  const { root, script, scratch, epoch, host, activity, signal } = options
  const mounts = sandboxMounts(options)
  using _leftovers = makeMountPoints(root, mounts)
  const run = join(scratch, 'configure')
  mkdirSync(run)
  const tail = createTail()
  const result = await runSandbox(planSandbox(sandboxSpec({ root, script, run, epoch, mounts, host }), host), {
    onOutput(stream, chunk) {
      tail.push(chunk)
      activity.log(stream, chunk)
    },
    ...(signal && { signal }),
  })
  if (result.exitCode === 0) return
  throw new UserError(`configuring the packages failed with exit code ${result.exitCode}`, {
    hint: 'a maintainer script failed; the lines above say which',
    details: tail.lines(),
  })
}

interface SpecParts {
  readonly root: RootDirectory
  readonly script: string
  readonly run: string
  readonly epoch: number
  readonly mounts: readonly BindMount[]
  readonly host: HostTools
}

function sandboxSpec({ root, script, run, epoch, mounts, host }: SpecParts): SandboxSpec {
  return {
    root: { kind: 'directory', path: root.path },
    mounts,
    argv: ['/bin/sh', '-c', script],
    env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOME=/root',
      'LC_ALL=C.UTF-8',
      'TERM=dumb',
      'DEBIAN_FRONTEND=noninteractive',
      'DEBCONF_NONINTERACTIVE_SEEN=true',
      `SOURCE_DATE_EPOCH=${epoch}`,
    ],
    workdir: '/',
    user: { uid: 0, gid: 0, groups: [] },
    hostname: 'localhost',
    network: host.loopbackUp === undefined ? 'host' : 'none',
    privileges: 'sandbox',
    hosts: '127.0.0.1\tlocalhost\n::1\tlocalhost\n',
    resolvConf: '',
    scratch: run,
    stdio: 'pipe',
  }
}

/** The packages, and a program in place of the one that starts services. */
function sandboxMounts({ root, packages, scratch }: ConfigureOptions): readonly BindMount[] {
  const mounts: BindMount[] = [{ kind: 'bind', source: packages, target: packagesDirectory, readonly: true }]
  const daemonStarter = root.place('usr/sbin/start-stop-daemon')
  const merged = root.found(daemonStarter) === 'other' ? daemonStarter : root.place('sbin/start-stop-daemon')
  if (root.found(merged) !== 'other') return mounts
  const idle = join(scratch, 'start-stop-daemon')
  writeFileSync(idle, '#!/bin/sh\nexit 0\n')
  chmodSync(idle, 0o755)
  return [...mounts, { kind: 'bind', source: idle, target: `/${merged}`, readonly: true, type: 'file' }]
}

/** Makes what is mounted over, and a policy that forbids to start services; gone afterwards. */
function makeMountPoints(root: RootDirectory, mounts: readonly BindMount[]): Disposable {
  const made: { readonly at: string | Buffer; readonly type: 'file' | 'directory' }[] = []
  for (const { path, type } of sandboxMountPoints({ mounts })) {
    const place = root.place(path.slice(1))
    if (root.found(place) !== 'nothing') continue
    const at = root.at(place)
    if (type === 'directory') mkdirSync(at, { mode: 0o755 })
    else writeFileSync(at, '')
    made.push({ at, type })
  }
  const policy = root.place('usr/sbin/policy-rc.d')
  if (root.found(policy) === 'nothing') {
    const at = root.at(policy)
    writeFileSync(at, '#!/bin/sh\nexit 101\n')
    chmodSync(at, 0o755)
    made.push({ at, type: 'file' })
  }
  return {
    [Symbol.dispose]() {
      for (const { at, type } of made.reverse()) {
        if (type === 'directory') rmdirSync(at)
        else rmSync(at, { force: true })
      }
    },
  }
}

/** The last lines of an output. */
function createTail(): { push(chunk: Uint8Array): void; lines(): readonly string[] } {
  let text = ''
  return {
    push(chunk) {
      text = (text + Buffer.from(chunk).toString('utf8')).slice(-8192)
    },
    lines: () => stripVTControlCharacters(text).trimEnd().split('\n').slice(-20),
  }
}
