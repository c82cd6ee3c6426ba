import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type HostTools, usualUmask } from '#linux'
import { writeAptFiles } from './apt-files.ts'
import { cleanRoot } from './clean-root.ts'
import { openAccounts } from './accounts.ts'
import { applySettings } from './apply-settings.ts'
import type { BaseSpec } from './base-spec.ts'
import { writeCertificates } from './certificates.ts'
import { createDirectoryFiles } from './directory-files.ts'
import { makeAlternative } from './minimal/alternatives.ts'
import { createPathFilter, dpkgFilterText } from './path-filter.ts'
import { publicFile } from './root-files.ts'
import type { ComposeOptions, Reporter } from './compose-options.ts'
import {
  configurePackages,
  type ConfigureScript,
  configureScript,
  preinstDirectory,
  type ScriptPackage,
} from './configure-packages.ts'
import { infoName, writeControlFiles, writeDpkgDatabase } from './dpkg-database.ts'
import { makeEarlyLinks, makeMergedUsr } from './lay-out-root.ts'
import type { PackageCache } from './package-cache.ts'
import type { PackageRecord } from './package-record.ts'
import { actsOnInstall, type ConfigurationPlan, planConfiguration } from './plan-configuration.ts'
import { type ObtainedBase, type ReadPackage, readPackages } from './read-packages.ts'
import { openRootDirectory, type RootDirectory } from './root-directory.ts'
import { unpackPackages } from './unpack-packages.ts'

export interface RootWork {
  readonly spec: BaseSpec
  readonly obtained: ObtainedBase
  /** An existing empty directory. */
  readonly target: string
  readonly cache: PackageCache
  readonly architecture: string
  /** Seconds since 1970: no file becomes younger. */
  readonly epoch: number
  readonly tools: HostTools
  readonly options: ComposeOptions
  readonly reporter: Reporter
}

/** Makes the root file system from package files: unpacked, configured, cleaned. Throws a `UserError`. */
export async function makeRoot(work: RootWork): Promise<void> {
  const { obtained, epoch, options, reporter } = work
  const { resolved } = obtained
  using _ = usualUmask()
  const packages = readPackages(obtained)
  const plan = planOf(packages, resolved.core)
  const root = openRootDirectory(work.target)
  await reporter.activity(`unpacking ${packages.length} packages`, activity => {
    const now = packages.filter(item => plan.unpacked.includes(item.record))
    return unpack(now, plan, root, work, done => activity.transfer('packages', done, now.length))
  })
  await reporter.activity(`configuring ${packages.length} packages`, async activity => {
    const scratch = await mkdtemp(join(options.scratch, 'base-'))
    try {
      await configurePackages({
        root,
        script: scriptOf(packages, plan, work.spec.system.alternatives),
        packages: work.cache.directory,
        scratch,
        host: work.tools,
        epoch,
        activity,
        signal: options.signal,
      })
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
    if (packages.some(item => item.record.name === 'apt')) {
      writeAptFiles(root, resolved.suites, resolved.packages, work.architecture)
    }
    applyToRoot(root, work)
    cleanRoot(root, epoch)
  })
}

const secondsPerDay = 86_400

/** What the base file says about users, files and the like. */
function applyToRoot(root: RootDirectory, { spec, epoch, options }: RootWork): void {
  const files = createDirectoryFiles(root, epoch)
  const accounts = openAccounts(files, Math.floor(epoch / secondsPerDay))
  applySettings(spec.system, { files, accounts, directory: options.directory })
  if (spec.system.users.length + spec.system.groups.length > 0) accounts.save()
  for (const { name, target } of spec.system.alternatives) {
    makeAlternative(files, { link: `/usr/bin/${name}`, name, target })
  }
  if (spec.system.certificates.length > 0) writeCertificates(files, { java: false, created: epoch * 1000 })
}

/** Where dpkg finds the same filter, for what is installed later. */
const filterFile = 'etc/dpkg/dpkg.cfg.d/slipway-without'

async function unpack(
  packages: readonly ReadPackage[],
  plan: ConfigurationPlan,
  root: RootDirectory,
  { architecture, options, spec }: RootWork,
  onDone: (count: number) => void,
): Promise<void> {
  makeMergedUsr(root.path, architecture)
  const filter = createPathFilter(spec.without)
  const installed = await unpackPackages(packages, { root, filter, onDone, signal: options.signal })
  if (spec.without.length > 0) {
    const files = createDirectoryFiles(root, 0)
    files.write(filterFile, Buffer.from(dpkgFilterText(spec.without)), publicFile)
  }
  writeDpkgDatabase(join(root.path, 'var/lib/dpkg'), installed, architecture)
  const acting = new Set(plan.preinst.map(record => record.name))
  writeControlFiles(
    join(root.path, preinstDirectory),
    installed.filter(item => acting.has(item.unpacked.name)),
  )
  makeEarlyLinks(root)
}

function planOf(packages: readonly ReadPackage[], core: ReadonlySet<string>): ConfigurationPlan {
  const acting = packages.filter(({ deb }) => {
    const preinst = deb.control.get('preinst')
    return preinst !== undefined && actsOnInstall(preinst.bytes.toString('latin1'))
  })
  const records = packages.map(item => item.record)
  return planConfiguration(records, core, new Set(acting.map(item => item.record.name)))
}

function scriptOf(
  packages: readonly ReadPackage[],
  plan: ConfigurationPlan,
  alternatives: ConfigureScript['alternatives'],
): string {
  const byRecord = new Map(packages.map(item => [item.record, item] as const))
  const scripted = (records: readonly PackageRecord[]): ScriptPackage[] =>
    records.flatMap(record => {
      const { name, architecture, sha256 } = record
      const item = byRecord.get(record)
      return item ? [{ name, infoName: infoName(item.fields), architecture, sha256 }] : []
    })
  return configureScript({
    alternatives,
    preinst: scripted(plan.preinst),
    first: scripted(plan.first),
    rounds: plan.rounds.map(round => ({ configure: scripted(round.configure), unpack: scripted(round.unpack) })),
  })
}
