import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { openHttp } from '#http'
import type { ContainerConfig } from '#oci'
import { writeAptFiles } from './apt-files.ts'
import type { BaseConfig, BaseSpec } from './base-spec.ts'
import { baseWarnings } from './base-warnings.ts'
import { cleanRoot } from './clean-root.ts'
import { type ComposedBase, type ComposeOptions, createReporter, type Reporter } from './compose-options.ts'
import { configurePackages, configureScript, type ScriptPackage } from './configure-packages.ts'
import { targetArchitecture } from './debian-architecture.ts'
import { infoName, writeDpkgDatabase } from './dpkg-database.ts'
import { fetchPackages } from './fetch-packages.ts'
import { readHostApt } from './host-apt.ts'
import { makeEarlyLinks, makeMergedUsr } from './lay-out-root.ts'
import { createMirrorReader } from './mirror-reader.ts'
import { openPackageCache } from './package-cache.ts'
import { actsOnInstall, planConfiguration } from './plan-configuration.ts'
import { type ReadPackage, readPackages } from './read-packages.ts'
import { resolveBase, type ResolvedBase } from './resolve-base.ts'
import { openRootDirectory, type RootDirectory } from './root-directory.ts'
import { selectRepositories } from './select-repositories.ts'
import { unpackPackages } from './unpack-packages.ts'

/**
 * Makes a root file system from Debian packages: indexes and packages verified and cached, dependencies solved, every
 * package unpacked and configured as dpkg would (in a sandbox; root, or root of a user namespace, is needed), apt and dpkg ready
 * for use inside, and nothing left that only this machine or moment explains. Needs neither dpkg nor apt on the host. The
 * target is complete when this returns; after an error the caller removes it. Throws a `UserError`.
 */
export async function composeBase(spec: BaseSpec, options: ComposeOptions): Promise<ComposedBase> {
  const { target, env, signal, hostRoot = '/', directory } = options
  await requireEmpty(target)
  const reporter = createReporter(options)
  const architecture = targetArchitecture(spec)
  const host = readHostApt(hostRoot)
  const mirror = env['SLIPWAY_DEBIAN_MIRROR']
  const repositories = selectRepositories(spec, { directory, mirror, host, architecture: architecture.name })
  await using http = openHttp({ env })
  const cache = await openPackageCache(options.cacheDirectory)
  const resolved = await resolveBase(spec, {
    repositories,
    architecture: architecture.name,
    mirror: createMirrorReader(http, signal),
    cache,
    reporter,
  })
  const paths = await fetchPackages(resolved.packages, { http, cache, reporter, signal })
  const epoch = epochOf(resolved)
  await makeRoot({ resolved, paths, architecture: architecture.name, epoch, options, reporter })
  for (const warning of baseWarnings(resolved)) reporter.warn(warning)
  return {
    packages: resolved.packages
      .map(({ record }) => record)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, version, architecture: of, size, installedSize, sha256, filename }) => {
        return { name, version, architecture: of, size, installedSize, sha256, filename }
      }),
    warnings: reporter.warnings,
    platform: architecture.platform,
    config: containerConfig(spec.config),
    created: epoch * 1000,
  }
}

async function requireEmpty(target: string): Promise<void> {
  if ((await readdir(target)).length === 0) return
  throw new UserError(`${target} is not empty`, { hint: 'a base is composed in an empty directory' })
}

/** Seconds: when the youngest of the repositories was published. */
function epochOf({ suites }: ResolvedBase): number {
  const dates = suites.map(suite => suite.release.date ?? 0)
  return Math.floor(Math.max(...dates) / 1000) || Math.floor(Date.now() / 1000)
}

interface RootWork {
  readonly resolved: ResolvedBase
  /** Package name → path of its file. */
  readonly paths: ReadonlyMap<string, string>
  readonly architecture: string
  readonly epoch: number
  readonly options: ComposeOptions
  readonly reporter: Reporter
}

async function makeRoot({ resolved, paths, architecture, epoch, options, reporter }: RootWork): Promise<void> {
  const { signal, env } = options
  const packages = await readPackages(resolved.packages, paths, signal)
  const root = openRootDirectory(options.target)
  const script = await reporter.activity(`unpacking ${packages.length} packages`, async activity => {
    makeMergedUsr(options.target, architecture)
    const plan = planOf(packages, resolved.core)
    const now = packages.filter(item => plan.unpacked.includes(item.record))
    const onDone = (count: number): void => activity.transfer('packages', count, now.length)
    const installed = await unpackPackages(now, root, onDone, signal)
    writeDpkgDatabase(join(options.target, 'var/lib/dpkg'), installed, architecture)
    makeEarlyLinks(root)
    return scriptOf(packages, plan, resolved.core)
  })
  const scratch = await mkdtemp(join(options.scratch, 'base-'))
  try {
    await reporter.activity(`configuring ${packages.length} packages`, activity =>
      configurePackages({
        root,
        script,
        packages: packagesDirectory(paths),
        scratch,
        hostPath: env['PATH'],
        epoch,
        activity,
        signal,
      }),
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  finishRoot(root, resolved, epoch)
}

function finishRoot(root: RootDirectory, resolved: ResolvedBase, epoch: number): void {
  if (resolved.packages.some(item => item.record.name === 'apt'))
    writeAptFiles(root, resolved.suites, resolved.packages)
  cleanRoot(root, epoch)
}

/** All files of the cache are in one directory. */
function packagesDirectory(paths: ReadonlyMap<string, string>): string {
  const [first = ''] = paths.values()
  return dirname(first)
}

function planOf(packages: readonly ReadPackage[], core: ReadonlySet<string>): ReturnType<typeof planConfiguration> {
  const acting = packages.filter(item => preinstActs(item)).map(item => item.record.name)
  return planConfiguration(
    packages.map(item => item.record),
    core,
    new Set(acting),
  )
}

function preinstActs({ deb }: ReadPackage): boolean {
  const preinst = deb.control.get('preinst')
  return preinst !== undefined && actsOnInstall(preinst.bytes.toString('latin1'))
}

function scriptOf(
  packages: readonly ReadPackage[],
  plan: ReturnType<typeof planConfiguration>,
  core: ReadonlySet<string>,
): string {
  const byRecord = new Map(packages.map(item => [item.record, item] as const))
  const scripted = (items: readonly ReadPackage[]): ScriptPackage[] =>
    items.map(({ record, fields }) => ({
      name: record.name,
      infoName: infoName(fields),
      architecture: record.architecture,
      sha256: record.sha256,
    }))
  const ofPlan = (records: ReadonlyArray<ReadPackage['record']>): ScriptPackage[] =>
    scripted(records.flatMap(record => byRecord.get(record) ?? []))
  // The one that brings users and groups.
  const place = ({ record }: ReadPackage): number => (record.name === 'base-passwd' ? 0 : 1)
  const bare = packages.filter(item => core.has(item.record.name) && preinstActs(item))
  return configureScript({
    preinst: scripted(bare.toSorted((a, b) => place(a) - place(b))),
    first: ofPlan(plan.first),
    rounds: plan.rounds.map(({ configure, unpack }) => ({ configure: ofPlan(configure), unpack: ofPlan(unpack) })),
  })
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
