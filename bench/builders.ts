import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from './measure.ts'

/** A build as every builder can be asked for it. */
export interface BuildRequest {
  readonly dockerfile: string
  readonly context: string
  readonly tag: string
  /** False: every step anew. */
  readonly cached: boolean
  readonly buildArgs?: Readonly<Record<string, string>>
  /** Registries on this machine speak plain HTTP. */
  readonly pull?: boolean
}

/** One that takes part. */
export interface Builder {
  readonly name: string
  /** What it says of its version. */
  readonly version: string
  /** Programs that work for it without being its children. */
  readonly daemons: readonly string[]
  readonly build: (request: BuildRequest) => Command
  /** Builds and writes an OCI archive (Docker: the archive that `docker save` writes, as its engine knows no other). */
  readonly buildArchive: (request: BuildRequest, path: string) => Command
  /** Sends a tagged image to a registry under its own name; undefined where it cannot compress so. */
  readonly push: (tag: string, compression: 'gzip' | 'zstd') => Command | undefined
  readonly history: (tag: string) => Command
  /** Brings a root file system into its store, not measured. */
  readonly importBase: (archive: string, tag: string, folder: string) => readonly Command[]
  /** Removes images from a store that is everybody's; undefined where the run has a store of its own. */
  readonly remove?: (names: readonly string[]) => Command
}

export const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))

function shell(...commands: readonly Command[]): Command {
  const line = commands.map(({ program, args }) => [program, ...args].map(quote).join(' ')).join(' && ')
  return { program: 'sh', args: ['-c', line], env: Object.assign({}, ...commands.map(({ env }) => env ?? {})) }
}

export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function argumentFlags({ buildArgs = {} }: BuildRequest): string[] {
  return Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
}

/** Runs by this Node itself: what a shell's `slipway` does when the Node on PATH is recent. */
export function slipwayBuilder(root: string): Builder & { readonly run: (...args: readonly string[]) => Command } {
  const run = (...args: readonly string[]): Command => ({
    program: process.execPath,
    args: [executable, ...args],
    env: { SLIPWAY_ROOT: root },
  })
  const build = (request: BuildRequest, ...more: readonly string[]): Command =>
    run(
      'build',
      '--progress',
      'quiet',
      ...(request.cached ? [] : ['--no-cache']),
      ...(request.pull ? ['--pull'] : []),
      ...argumentFlags(request),
      ...more,
      '-t',
      request.tag,
      '-f',
      request.dockerfile,
      request.context,
    )
  return {
    name: 'slipway',
    version: answer(process.execPath, executable, '--version').replace('slipway ', ''),
    daemons: [],
    run,
    build,
    buildArchive: (request, path) => build(request, '-o', `type=oci,dest=${path}`),
    push: (tag, compression) => run('push', '--compression', compression, tag),
    history: tag => run('history', tag),
    importBase: (archive, tag) => [run('import', archive, tag)],
  }
}

const dockerCommand =
  process.env['DOCKER'] ?? (answer('/usr/bin/docker', '--version') === '' ? 'docker' : '/usr/bin/docker')

function dockerBuilder(version: string): Builder {
  const env = { DOCKER_BUILDKIT: '1' }
  const label = 'slipway-bench'
  const run = (...args: readonly string[]): Command => ({ program: dockerCommand, args, env })
  const build = (request: BuildRequest): Command =>
    run(
      'build',
      '-q',
      '--label',
      label,
      ...(request.cached ? [] : ['--no-cache']),
      ...(request.pull ? ['--pull'] : []),
      ...argumentFlags(request),
      '-t',
      request.tag,
      '-f',
      request.dockerfile,
      request.context,
    )
  return {
    name: 'docker (BuildKit)',
    version,
    daemons: ['dockerd', 'containerd'],
    build,
    buildArchive: (request, path) => shell(build(request), run('save', '-o', path, request.tag)),
    push: (tag, compression) => (compression === 'gzip' ? run('push', '-q', tag) : undefined),
    history: tag => run('history', tag),
    importBase: (archive, tag) => [run('import', archive, tag)],
    // Every build of a tag leaves the one before without a name. The cache of builds is everybody's and stays.
    remove: tags => shell(run('image', 'prune', '--force', '--filter', `label=${label}`), run('rmi', '-f', ...tags)),
  }
}

/**
 * buildah, and podman, which builds with buildah's code. Each has a store of its own in `folder`, as slipway has: they leave working
 * containers that are mounted, after an instruction-less build too, and those of the machine's user are none of ours.
 */
function buildahBuilder(name: 'buildah' | 'podman', { version, folder }: { version: string; folder: string }): Builder {
  const runtime = runtimeFlags()
  const own = ['--root', join(folder, name, 'root'), '--runroot', join(folder, name, 'run')]
  const run = (...args: readonly string[]): Command => ({
    program: name,
    args: name === 'podman' ? [...runtime, ...own, ...args] : [...own, ...args],
  })
  const build = (request: BuildRequest): Command =>
    run(
      'build',
      ...(name === 'buildah' ? runtime : []),
      '-q',
      '--layers',
      ...(request.cached ? [] : ['--no-cache']),
      ...(request.pull ? ['--pull-always', '--tls-verify=false'] : ['--pull-never']).map(flag =>
        name === 'podman' ? flag.replace('--pull-', '--pull=') : flag,
      ),
      ...argumentFlags(request),
      '-t',
      request.tag,
      '-f',
      request.dockerfile,
      request.context,
    )
  const push = (tag: string, ...more: readonly string[]): Command =>
    run('push', '-q', '--tls-verify=false', ...more, tag)
  return {
    name,
    version,
    daemons: [],
    build,
    buildArchive: (request, path) => shell(build(request), run('push', '-q', request.tag, `oci-archive:${path}`)),
    push: (tag, compression) => push(tag, '--compression-format', compression),
    history: tag => ({ program: 'podman', args: [...own, 'history', tag] }),
    // buildah has no import: an image FROM scratch with the archive unpacked is the same.
    importBase: (archive, tag, folder) => [
      run('build', '-q', '-t', tag, '-f', join(folder, 'import.Dockerfile'), '--build-arg', `BASE=${archive}`, folder),
    ],
  }
}

/** crun refuses machines with both kinds of control groups; runc works there. */
function runtimeFlags(): string[] {
  const isHybrid = existsSync('/sys/fs/cgroup/unified')
  return isHybrid && answer('runc', '--version') !== '' ? ['--runtime', 'runc'] : []
}

function answer(program: string, ...args: readonly string[]): string {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

/** The peers of this machine, with stores in `folder`. Those without a daemon need root here, as slipway's own runs do. */
export function findPeers(folder: string): Builder[] {
  const peers: Builder[] = []
  const engine = answer(dockerCommand, 'version', '--format', '{{.Server.Version}}')
  if (engine !== '') peers.push(dockerBuilder(engine))
  for (const name of ['buildah', 'podman'] as const) {
    const version = process.getuid?.() === 0 ? answer(name, '--version') : ''
    if (version !== '' && answer(name, 'info') !== '')
      peers.push(buildahBuilder(name, { version: version.split(' ')[2] ?? version, folder }))
  }
  return peers
}
