import { openAccounts, noShell } from '../accounts.ts'
import { applySettings } from '../apply-settings.ts'
import type { BaseSpec } from '../base-spec.ts'
import { writeCertificates } from '../certificates.ts'
import type { Reporter } from '../compose-options.ts'
import { createPathFilter } from '../path-filter.ts'
import { type ObtainedBase, readPackages } from '../read-packages.ts'
import { makeAlternative, makeAlternatives } from './alternatives.ts'
import { makeUsualLinks, setUpBaseSystem } from './base-system.ts'
import { mergePackages } from './merge-packages.ts'
import { setUpLibraries } from './libraries.ts'
import { readMembers } from './package-members.ts'
import { writePackageStatus } from './package-status.ts'
import { createPackageTree, type PackageTree } from './package-tree.ts'
import { addScriptAccounts } from './script-accounts.ts'

export interface TreeWork {
  readonly spec: BaseSpec
  readonly obtained: ObtainedBase
  readonly architecture: string
  /** Seconds since 1970: no file becomes younger. */
  readonly epoch: number
  /** An empty directory; contents of entries stay in it. */
  readonly scratch: string
  /** Where relative paths of the base file start. */
  readonly directory: string
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

const secondsPerDay = 86_400

/**
 * Makes a minimal base: members of packages merged, and what their scripts would have done in the common cases done without them.
 * No program runs, so any architecture will do, and no privilege is needed. Throws a `UserError`.
 */
export async function makeTree(work: TreeWork): Promise<PackageTree> {
  const { spec, obtained, architecture, epoch, reporter, signal } = work
  const packages = readPackages(obtained)
  const tree = createPackageTree(epoch)
  await reporter.activity(`unpacking ${packages.length} packages`, async activity => {
    const onDone = (done: number): void => activity.transfer('packages', done, packages.length)
    const members = await readMembers(packages, work.scratch, { onDone, signal })
    const merged = mergePackages(members, tree, { filter: createPathFilter(spec.without), architecture })
    setUpBaseSystem(tree)
    const byName = packages.toSorted((a, b) => (a.record.name < b.record.name ? -1 : 1))
    const accounts = openAccounts(tree, Math.floor(epoch / secondsPerDay))
    addScriptAccounts(accounts, tree, byName)
    makeUsualLinks(tree)
    applySettings(spec.system, { files: tree, accounts, directory: work.directory })
    accounts.changeShells(shell => (tree.found(shell.slice(1)) === 'nothing' ? noShell : shell))
    accounts.save()
    makeAlternatives(tree, byName)
    for (const { name, target } of spec.system.alternatives) {
      makeAlternative(tree, { link: `/usr/bin/${name}`, name, target })
    }
    const java = byName.some(({ record }) => record.name.startsWith('openjdk-'))
    writeCertificates(tree, { java, created: epoch * 1000 })
    for (const warning of setUpLibraries(tree, tree.entries(), architecture)) reporter.warn(warning)
    writePackageStatus(tree, byName, merged)
  })
  return tree
}
