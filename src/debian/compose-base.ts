import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '#diagnostics'
import { findHostTools, type HostTools } from '#linux'
import type { ContainerConfig } from '#oci'
import type { BaseConfig, BaseSpec } from './base-spec.ts'
import { baseWarnings } from './base-warnings.ts'
import { type ComposedBase, type ComposedSystem, type ComposeOptions } from './compose-options.ts'
import { lockSystem } from './lock/lock-system.ts'
import { makeRoot } from './make-root.ts'
import { makeTree } from './minimal/make-tree.ts'
import type { ResolvedBase } from './resolve-base.ts'
import { openSources } from './open-sources.ts'
import { scanRoot } from './scan-root.ts'

/**
 * Makes a root file system from Debian packages: indexes and packages verified and cached, dependencies solved. A full base has
 * every package unpacked and configured as dpkg would (in a sandbox; root, or root of a user namespace, is needed), apt and dpkg
 * ready for use inside; a minimal one comes as entries, and needs no privilege. Nothing is left that only this machine or moment
 * explains. Needs neither dpkg nor apt on the host. The target is complete when this returns; after an error the caller
 * removes it. Throws a `UserError`.
 */
export async function composeBase(spec: BaseSpec, given: ComposeOptions): Promise<ComposedBase> {
  const target = resolve(given.target)
  const options: ComposeOptions = {
    ...given,
    target,
    scratch: resolve(given.scratch),
    cacheDirectory: resolve(given.cacheDirectory),
  }
  const { env, signal, directory } = options
  await requireEmpty(target)
  await using sources = await openSources(spec, options.architecture ?? spec.architectures[0], options)
  const { architecture, cache, reporter } = sources
  const tools = spec.kind === 'full' ? privilegedTools(env['PATH']) : undefined
  const { resolved, paths } = await sources.obtain()
  const epoch = epochOf(resolved)
  const common = { spec, paths, architecture: architecture.name, epoch, reporter }
  let system: ComposedSystem = { kind: 'directory', path: target }
  if (tools) {
    await makeRoot({ ...common, resolved, cache, tools, options })
    if (spec.layers > 1) system = scanRoot(target)
  } else {
    const tree = await makeTree({ ...common, packages: resolved.packages, scratch: target, directory, signal })
    system = { kind: 'entries', entries: tree.entries(), owner: path => tree.owner(path) }
  }
  for (const warning of baseWarnings(resolved)) reporter.warn(warning)
  return {
    system,
    locked: lockSystem(resolved, architecture.name),
    omitted: resolved.omitted,
    warnings: reporter.warnings,
    platform: architecture.platform,
    architecture: architecture.name,
    config: containerConfig(spec.config),
    created: epoch * 1000,
  }
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
function epochOf({ suites }: ResolvedBase): number {
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
