import type { DiskUsage } from '#store'
import type { DfFlags } from '../commands/df.ts'
import type { CliContext } from '../context.ts'
import { formatSize } from '../size.ts'
import { type Column, renderJsonLines, renderTable } from '../table.ts'
import { withStore } from '../store-root.ts'

/** One kind of what the store holds. */
export interface UsageRow {
  readonly type: string
  readonly count: number
  /** Bytes on the disk. */
  readonly size: number
  /** Bytes that `slipway prune` would free. */
  readonly reclaimable: number
}

/** `slipway df`. */
export async function dfCommand(flags: DfFlags, context: CliContext): Promise<number> {
  const rows = usageRows(await withStore(context, store => store.usage()))
  context.stdout.write(flags.format === 'json' ? renderUsageJson(rows) : renderTable(columns, rows))
  return 0
}

function usageRows({ images, cache, elsewhere, packages, mounts }: DiskUsage): UsageRow[] {
  return [
    { type: 'Images', ...images, reclaimable: 0 },
    { type: 'Build cache', ...cache },
    // Not on this disk: the size is what their download would take.
    { type: 'Remote layers', ...elsewhere, reclaimable: 0 },
    { type: 'Packages', ...packages, reclaimable: 0 },
    { type: 'Cache mounts', ...mounts, reclaimable: 0 },
  ]
}

const columns: Column<UsageRow>[] = [
  { title: 'TYPE', cell: row => row.type },
  { title: 'TOTAL', cell: row => String(row.count) },
  { title: 'SIZE', cell: row => formatSize(row.size) },
  { title: 'RECLAIMABLE', cell: reclaimableText },
]

function reclaimableText({ size, reclaimable }: UsageRow): string {
  return size === 0 ? '0B' : `${formatSize(reclaimable)} (${Math.floor((reclaimable * 100) / size)}%)`
}

function renderUsageJson(rows: readonly UsageRow[]): string {
  return renderJsonLines(
    rows.map(row => ({
      Type: row.type,
      TotalCount: row.count,
      Size: formatSize(row.size),
      SizeBytes: row.size,
      Reclaimable: reclaimableText(row),
      ReclaimableBytes: row.reclaimable,
    })),
  )
}
