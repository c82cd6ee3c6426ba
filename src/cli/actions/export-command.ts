import { chainOf, exportTar, findImage } from '#build'
import type { ExportFlags } from '../commands/export.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { openDestination } from '../streams/open-destination.ts'
import { withStore } from '../store-root.ts'

/** `slipway export`. */
export async function exportCommand(name: string, flags: ExportFlags, context: CliContext): Promise<number> {
  const unpacked = await withStore(context, async store => isUnpacked(chainOf(store, findImage(store, name))))
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  return withStore(context, async store => {
    const chain = chainOf(store, findImage(store, name))
    await using destination = await openDestination(flags.output ?? '-', context)
    await exportTar(store, [{ chain }], { sink: destination.write, signal: context.interrupts.signal })
    await destination.finish()
    return 0
  })
}
