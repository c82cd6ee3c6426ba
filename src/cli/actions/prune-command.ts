import { createInterface } from 'node:readline/promises'
import { UserError } from '#diagnostics'
import type { PruneResult } from '#store'
import type { PruneFlags } from '../commands/prune.ts'
import { type CliContext, isOrdinaryUser } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { formatSize } from '../size.ts'
import { withStore } from '../store-root.ts'

/** `slipway prune`. Asks first on a terminal; without one, only what can be built again is removed unasked. */
export async function pruneCommand(flags: PruneFlags, context: CliContext): Promise<number> {
  const inner = await enterToRemove(context)
  if (inner !== undefined) return inner
  if (!(await mayPrune(flags, context))) return 1
  const result = await withStore(context, store =>
    store.prune({
      all: flags.all === true,
      ...(flags.keepStorage !== undefined && { keepBytes: flags.keepStorage }),
      ...(flags.until !== undefined && { usedBefore: context.now() - flags.until }),
    }),
  )
  context.stdout.write(flags.format === 'json' ? resultJson(result) : resultText(result))
  return 0
}

/** Unpacked layers of an ordinary user hold files of mapped users, which only the namespace's root can remove. */
async function enterToRemove(context: CliContext): Promise<number | undefined> {
  if (!isOrdinaryUser(context)) return undefined
  const unpacked = await withStore(context, async store => isUnpacked(store.layers.all()))
  try {
    return await enterNamespace(context, unpacked)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    // Without namespaces no layer of this store was unpacked with other owners.
    return undefined
  }
}

async function mayPrune(flags: PruneFlags, context: CliContext): Promise<boolean> {
  if (flags.force) return true
  if (!context.stdin.isTTY || !context.stderr.isTTY) {
    if (!flags.all) return true
    throw new UserError('removing all images needs a yes, and there is no terminal to ask on', {
      hint: 'add --force if this is what you want',
    })
  }
  const what = flags.all ? 'ALL images and the build cache' : 'images without a name and the build cache'
  const question = createInterface({ input: context.stdin, output: context.stderr, terminal: false })
  try {
    const answer = await question.question(`This removes ${what}. Continue? [y/N] `, {
      signal: context.interrupts.signal,
    })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    question.close()
  }
}

function resultText({ images, layers, freed }: PruneResult): string {
  const lines = images.map(id => `Deleted: ${id}\n`)
  return `${lines.join('')}Removed ${images.length} images and ${layers} layers\nTotal reclaimed space: ${formatSize(freed)}\n`
}

function resultJson({ images, layers, freed }: PruneResult): string {
  const object = { ImagesDeleted: images, LayersDeleted: layers, SpaceReclaimed: freed }
  return `${JSON.stringify(object)}\n`
}
