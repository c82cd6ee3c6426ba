import { compareSystems, type PackageChange } from '#debian'
import { UserError } from '#diagnostics'
import { readBase } from '../base/base-input.ts'
import { solveNow } from '../base/solve-now.ts'
import type { BaseUpdateFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { formatSize } from '../size.ts'
import { type Column, renderTable } from '../table.ts'
import { describeLock, writeLock } from './base-lock-command.ts'

/** `slipway base update`. */
export async function baseUpdateCommand(file: string, flags: BaseUpdateFlags, context: CliContext): Promise<number> {
  const input = await readBase(file, context)
  const { lock: before, lockPath } = input
  if (before === undefined) {
    throw new UserError(`there is no lock ${lockPath}`, { hint: `make it: slipway base lock ${file}` })
  }
  const after = await solveNow(input, flags.progress, context)
  for (const system of after.systems) {
    const old = before.systems.find(({ architecture }) => architecture === system.architecture)
    const empty = { ...system, packages: [] }
    context.stdout.write(describeChanges(system.architecture, compareSystems(old ?? empty, system), context))
  }
  for (const { architecture } of before.systems) {
    if (after.systems.some(system => system.architecture === architecture)) continue
    context.stdout.write(`${architecture}: no longer in the base file\n`)
  }
  if (flags.write) {
    await writeLock(input, after, context)
    context.stderr.write(describeLock(input, after))
  }
  return 0
}

const columns: readonly Column<PackageChange>[] = [
  { title: 'PACKAGE', cell: change => change.name },
  { title: 'LOCKED', cell: change => change.before?.version ?? '-' },
  { title: 'NOW', cell: change => change.after?.version ?? '-' },
  { title: 'DOWNLOAD', cell: change => (change.after ? formatSize(change.after.size) : '-') },
  { title: 'INSTALLED', cell: change => signed(installed(change)) },
  { title: 'FROM', cell: change => `${change.suite}${change.security ? ' (security)' : ''}`, shrinks: true },
]

function describeChanges(architecture: string, changes: readonly PackageChange[], { stdout }: CliContext): string {
  if (changes.length === 0) return `${architecture}: nothing changes\n`
  const count = (kinds: readonly PackageChange['kind'][]): number =>
    changes.filter(({ kind }) => kinds.includes(kind)).length
  const download = changes.reduce((sum, { after }) => sum + (after?.size ?? 0), 0)
  const growth = changes.reduce((sum, change) => sum + installed(change), 0)
  const parts = [
    [count(['newer', 'older', 'rebuilt']), 'changed'],
    [count(['added']), 'added'],
    [count(['removed']), 'removed'],
    [changes.filter(({ security }) => security).length, 'from security updates'],
  ] as const
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  const sizes = `${formatSize(download)} to download, ${signed(growth)} installed`
  return `${architecture}: ${said.join(', ')}; ${sizes}\n${renderTable(columns, changes, stdout.isTTY ? stdout.columns : undefined)}`
}

/** Bytes that the change adds, as packages estimate them. */
function installed({ before, after }: PackageChange): number {
  return (after?.installedSize ?? 0) - (before?.installedSize ?? 0)
}

function signed(bytes: number): string {
  return `${bytes > 0 ? '+' : ''}${formatSize(bytes)}`
}
