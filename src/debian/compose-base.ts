import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '#diagnostics'
import { findHostTools, type HostTools } from '#linux'
import type { ContainerConfig } from '#oci'
import type { BaseConfig, BaseSpec } from './base-spec.ts'
import { baseIdentity } from './base-identity.ts'
import { baseWarnings } from './base-warnings.ts'
import type { ComposedBase, ComposedSystem, ComposeOptions, ComposePlace } from './compose-options.ts'
import { makeRoot } from './make-root.ts'
import { makeTree } from './minimal/make-tree.ts'
import { type BaseSources, type ChosenBase, openSources } from './open-sources.ts'
import type { ObtainedBase } from './read-packages.ts'
import { scanRoot } from './scan-root.ts'

/**
 * Makes a root file system from Debian packages: indexes and packages verified and cached, dependencies solved. A full base has
 * every package unpacked and configured as dpkg would (in a sandbox; root, or root of a user namespace, is needed), apt and dpkg
 * ready for use inside; a minimal one comes as entries, and needs no privilege. Nothing is left that only this machine or moment
 * explains. Needs neither dpkg nor apt on the host. The target is complete when this returns; after an error the caller
 * removes it. Throws a `UserError`.
 */
export async function composeBase(spec: BaseSpec, given: ComposeOptions): Promise<ComposedBase> {
  const options: ComposeOptions = {
    ...given,
    scratch: resolve(given.scratch),
    cacheDirectory: resolve(given.cacheDirectory),
  }
  const { env, memory, directory } = options
  await using sources = await openSources(spec, options.architecture ?? spec.architectures[0], options)
  const { architecture, reporter } = sources
  const tools = spec.kind === 'full' ? privilegedTools(env['PATH']) : undefined
  const chosen = await sources.choose()
  const { locked, suites } = chosen
  const identity = (): string | undefined =>
    memory && baseIdentity({ spec, directory, locked, suites, composer: memory.composer })
  const key = identity()
  const epoch = epochOf(chosen)
  const about = {
    locked,
    key,
    platform: architecture.platform,
    architecture: architecture.name,
    config: containerConfig(spec.config),
    created: epoch * 1000,
  }
  const known = key === undefined ? undefined : memory?.recall(key)
  if (known) {
    await reporter.activity(`composing ${locked.packages.length} packages`, async activity => activity.cached())
    for (const warning of known.warnings) reporter.warn(warning)
    const { name, omitted, warnings } = known
    return { ...about, system: { kind: 'remembered', name }, omitted, warnings }
  }
  const obtained = await chosen.obtain()
  const work = { spec, obtained, epoch, tools, options }
  const system = await compose(work, sources)
  for (const warning of baseWarnings(obtained.resolved)) reporter.warn(warning)
  const { omitted } = obtained.resolved
  // A file that changed meanwhile may be in it as it was before or after.
  return { ...about, key: identity() === key ? key : undefined, system, omitted, warnings: reporter.warnings }
}

interface Composing {
  readonly spec: BaseSpec
  readonly obtained: ObtainedBase
  readonly epoch: number
  /** Of a full base. */
  readonly tools: HostTools | undefined
  readonly options: ComposeOptions
}

async function compose(
  { spec, obtained, epoch, tools, options }: Composing,
  { architecture, cache, reporter }: BaseSources,
): Promise<ComposedSystem> {
  const { path, isPassing } = await placeFor(obtained, options)
  const common = { spec, obtained, architecture: architecture.name, epoch, reporter }
  if (tools) {
    await makeRoot({ ...common, target: path, cache, tools, options })
    return isPassing || spec.layers > 1 ? scanRoot(path) : { kind: 'directory', path }
  }
  const { directory, signal } = options
  const tree = await makeTree({ ...common, scratch: path, directory, signal })
  return { kind: 'entries', entries: tree.entries(), owner: place => tree.owner(place) }
}

/** Directories, links and what scripts make come on top of what packages say; so does what is only unpacked meanwhile. */
const growth = 1.25

async function placeFor({ resolved }: ObtainedBase, { target }: ComposeOptions): Promise<ComposePlace> {
  const bytes = resolved.packages.reduce((sum, { record }) => sum + record.installedSize, 0)
  const place =
    typeof target === 'string' ? { path: target, isPassing: false } : await target(Math.ceil(bytes * growth))
  const path = resolve(place.path)
  await requireEmpty(path)
  return { ...place, path }
}

async function requireEmpty(target: string): Promise<void> {
  if ((await readdir(target)).length === 0) return
  throw new UserError(`${target} is not empty`, { hint: 'a base is composed in an empty directory' })
}

/** What runs the maintainer scripts; checked before anything is downloaded. */
function privilegedTools(path: string | undefined): HostTools {
  if (process.getuid?.() !== 0) {
    throw new UserError('composing a base needs root', {
      hint: 'its files belong to several users; run as root, or as root of a user namespace',
    })
  }
  const tools = findHostTools(path)
  if (tools.manyIds) return tools
  throw new UserError('composing a base needs more than one user id', {
    hint: 'give your user a range in /etc/subuid and /etc/subgid and install the package uidmap, or run as root',
  })
}

/** Seconds: when the youngest of the repositories was published. */
function epochOf({ suites }: ChosenBase): number {
  const dates = suites.map(suite => suite.release.date ?? 0)
  return Math.floor(Math.max(...dates) / 1000) || Math.floor(Date.now() / 1000)
}

function containerConfig({ env, user, workdir, entrypoint, cmd, labels }: BaseConfig): ContainerConfig {
  const hasPath = env.some(variable => variable.startsWith('PATH='))
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return {
    Env: hasPath ? env : [path, ...env],
    ...(user !== undefined && { User: user }),
    ...(workdir !== undefined && { WorkingDir: workdir }),
    ...(entrypoint !== undefined && { Entrypoint: entrypoint }),
    ...(cmd !== undefined && { Cmd: cmd }),
    ...(Object.keys(labels).length > 0 && { Labels: labels }),
  }
}
