import { importLayer } from '#build'
import type { ProgressSink } from '#diagnostics'
import { decompress } from '#layer'
import {
  type ContainerConfig,
  type Digest,
  familiarReference,
  hostPlatform,
  type ImageConfig,
  parsePlatform,
  type Platform,
} from '#oci'
import type { Store } from '#store'
import type { ImportFlags } from '../commands/import.ts'
import type { CliContext } from '../context.ts'
import { parseTag } from '../options/tag.ts'
import { reportResult } from '../progress/report-result.ts'
import { idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { countedBytes, openInput } from '../streams/open-input.ts'
import { changedConfig } from './changed-config.ts'

/** `slipway import`. */
export async function importCommand(
  file: string,
  name: string | undefined,
  flags: ImportFlags,
  context: CliContext,
): Promise<number> {
  const reference = name === undefined ? undefined : parseTag(name, 'import')
  const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform)
  const config = await changedConfig(flags.change ?? [], platform)
  const about = { file, platform, config, message: flags.message ?? `Imported from ${file}` }
  const mode = flags.quiet ? 'quiet' : flags.progress
  return withStore(context, async store => {
    const id = await withProgress(mode, context, progress => takeIn(about, { store, progress }, context))
    if (reference) store.images.tag(reference, id)
    reportResult({ id, names: reference ? [familiarReference(reference)] : [] }, mode, context)
    return 0
  })
}

interface Import {
  readonly file: string
  readonly platform: Platform
  readonly config: ContainerConfig
  /** Comment in the history. */
  readonly message: string
}

async function takeIn(
  { file, platform, config, message }: Import,
  { store, progress }: { readonly store: Store; readonly progress: ProgressSink },
  context: CliContext,
): Promise<Digest> {
  const { signal } = context.interrupts
  const created = new Date(context.now()).toISOString()
  const teller = { progress, nextId: idCounter(), now: context.now }
  const input = await openInput(file, context)
  const layer = await tellActivity(teller, `importing ${file === '-' ? 'standard input' : file}`, report =>
    importLayer(
      store,
      { open: () => decompress(countedBytes(input, report), { name: file === '-' ? 'standard input' : file }) },
      { below: [], created, signal },
    ),
  )
  if (layer.diffId === undefined) throw new Error('an imported layer has no diff id')
  const { architecture, os, variant } = platform
  const image: ImageConfig = {
    architecture,
    ...(variant !== undefined && { variant }),
    os,
    created,
    config,
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, comment: message }],
  }
  const id = await store.blobs.put(Buffer.from(JSON.stringify(image)))
  store.images.add(id, [layer.id])
  return id
}
