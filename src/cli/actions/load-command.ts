import { mkdir } from 'node:fs/promises'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { addImage } from '#build'
import type { ProgressSink } from '#diagnostics'
import { type ImageArchive, openImageArchive } from '#image'
import { type Digest, familiarReference, formatReference } from '#oci'
import type { Store } from '#store'
import type { LoadFlags } from '../commands/load.ts'
import type { CliContext } from '../context.ts'
import { type ActivityTeller, idCounter, tellActivity, type TransferReport } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { countedBytes, openInput } from '../streams/open-input.ts'

/** `slipway load`. */
export async function loadCommand(flags: LoadFlags, context: CliContext): Promise<number> {
  const mode = flags.quiet ? 'quiet' : flags.progress
  return withStore(context, async store => {
    const lines = await withProgress(mode, context, progress =>
      loadAll(flags.input ?? '-', { store, progress }, context),
    )
    context.stdout.write(lines.join(''))
    return 0
  })
}

interface Loading {
  readonly store: Store
  readonly progress: ProgressSink
}

/** All images of the archive; names are given when every image is there. */
async function loadAll(file: string, { store, progress }: Loading, context: CliContext): Promise<string[]> {
  const teller = { progress, nextId: idCounter(), now: context.now }
  await using archive = await openArchive(file, { store, teller }, context)
  const loaded: { readonly id: Digest; readonly references: ImageArchive['images'][number]['references'] }[] = []
  for (const image of archive.images) {
    const [first] = image.references
    const text = `loading ${first ? familiarReference(first) : 'an image without a name'}`
    const id = await tellActivity(teller, text, report =>
      addImage(store, image, { signal: context.interrupts.signal, onBytes: layerBytes(report) }),
    )
    loaded.push({ id, references: image.references })
  }
  return loaded.flatMap(({ id, references }) => {
    for (const reference of references) store.images.tag({ tag: 'latest', ...reference }, id)
    const names = references.map(reference => `Loaded image: ${nameOf(reference)}\n`)
    return names.length > 0 ? names : [`Loaded image ID: ${id}\n`]
  })
}

/** Bytes are counted anew for each layer. */
function layerBytes(report: TransferReport): (done: number) => void {
  let layer = 1
  let last = 0
  return done => {
    if (done < last) layer++
    last = done
    report(`layer ${layer}`, done)
  }
}

function nameOf(reference: Parameters<typeof formatReference>[0]): string {
  return familiarReference({ tag: 'latest', ...reference })
}

/** A directory or file is read where it lies; a stream is first spooled, with its progress. */
async function openArchive(
  file: string,
  { store, teller }: { readonly store: Store; readonly teller: ActivityTeller },
  context: CliContext,
): Promise<ImageArchive> {
  const scratch = await store.temporary('load')
  await mkdir(scratch)
  const path = resolve(context.directory, file)
  const { signal } = context.interrupts
  if (file !== '-' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    return openImageArchive(path, { scratch, name: file, signal })
  }
  const input = await openInput(file, context)
  const name = file === '-' ? 'standard input' : file
  if (file !== '-' && input.size !== undefined) {
    return tellActivity(teller, `reading ${name}`, () => openImageArchive(path, { scratch, name, signal }))
  }
  return tellActivity(teller, `reading ${name}`, report =>
    openImageArchive(countedBytes(input, report), { scratch, name, signal }),
  )
}
